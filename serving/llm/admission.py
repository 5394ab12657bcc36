"""Keeps room for urgent requests: those that nobody is waiting for may take only part of an engine's places."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import asynccontextmanager

from serving.chat import Priority

SHARES = {Priority.CONFIRMED: 1.0, Priority.SPECULATIVE: 0.5, Priority.BACKGROUND: 0.25}
"""The share of the places that each priority may take. vLLM 0.32 admits the most urgent waiting request first but never
preempts a running one, so a quarter of the places is always kept for callers who are waiting for an answer."""


class Admission:
    """The places of one engine. Belongs to its event loop."""

    def __init__(self, places: int) -> None:
        self._shares = {priority: asyncio.Semaphore(max(1, int(share * places))) for priority, share in SHARES.items()}

    @asynccontextmanager
    async def place(self, priority: Priority, confirmed: "Future[None] | None" = None) -> AsyncIterator[Priority]:
        """Wait for a place and hold it. Yields the priority it is held with: CONFIRMED if `confirmed` was done first."""
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
        with contextlib.suppress(RuntimeError):  # the loop is closed: the engine is gone, and so is whatever waited
            loop.call_soon_threadsafe(event.set)

    future.add_done_callback(done)
    await event.wait()
