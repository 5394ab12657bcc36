"""Keeps room for the urgent: requests that nobody waits for may fill only part of an engine's places."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from concurrent.futures import Future
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
    async def place(self, priority: Priority, confirmed: "Future[None] | None" = None) -> AsyncIterator[Priority]:
        """Wait for a place and hold it. Gives the priority it is held with: CONFIRMED if `confirmed` was done first."""
        held = await self._enter(priority, confirmed)
        try:
            yield held
        finally:
            self._shares[held].release()

    async def _enter(self, priority: Priority, confirmed: "Future[None] | None") -> Priority:
        share = self._shares[priority]
        if confirmed is None or not share.locked():
            await share.acquire()
            return priority
        place, waits = asyncio.create_task(share.acquire()), asyncio.create_task(until_done(confirmed))
        try:
            await asyncio.wait((place, waits), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            if place.done():
                share.release()
            raise
        finally:
            place.cancel()
            waits.cancel()
        if not place.done():
            await self._shares[Priority.CONFIRMED].acquire()
            return Priority.CONFIRMED
        return priority


async def until_done(future: "Future[None]") -> None:
    """Wait for a future of another loop or thread, without cancelling it when the wait is cancelled."""
    loop, event = asyncio.get_running_loop(), asyncio.Event()

    def done(_: "Future[None]") -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the engine is gone, and what waited with it
            loop.call_soon_threadsafe(event.set)

    future.add_done_callback(done)
    await event.wait()
