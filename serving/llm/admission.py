"""Keeps room for the urgent: requests that nobody waits for may fill only part of an engine's places."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from serving.chat import Priority

SHARES = {Priority.CONFIRMED: 1.0, Priority.SPECULATIVE: 0.5, Priority.BACKGROUND: 0.25}
"""Of the places. vLLM 0.32 takes the most urgent of those that wait first, but lets those that run end: a place that is
taken is taken, so a quarter of them always stays for callers who wait for their answer."""


class Admission:
    """The places of one engine. Belongs to its event loop."""

    def __init__(self, places: int) -> None:
        self._shares = {priority: asyncio.Semaphore(max(1, int(share * places))) for priority, share in SHARES.items()}

    @asynccontextmanager
    async def place(self, priority: Priority) -> AsyncIterator[None]:
        """Wait for a place and hold it."""
        async with self._shares[priority]:
            yield
