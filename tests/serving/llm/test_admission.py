"""Which requests get a place."""

import asyncio
from concurrent.futures import Future
from contextlib import AsyncExitStack

import pytest

from serving.chat import Priority
from serving.llm.admission import Admission
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit


async def hold(
    admission: Admission, priority: Priority, stack: AsyncExitStack, **confirmed: "Future[None]"
) -> Priority:
    """Take a place for as long as the stack is open."""
    return await stack.enter_async_context(admission.place(priority, **confirmed))


@in_virtual_time
async def test_speculation_leaves_places_for_answers() -> None:
    admission = Admission(4)
    async with AsyncExitStack() as stack:
        for _ in range(2):
            assert await hold(admission, Priority.SPECULATIVE, stack) is Priority.SPECULATIVE
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(hold(admission, Priority.SPECULATIVE, stack), 1.0)
        for _ in range(4):
            assert await hold(admission, Priority.CONFIRMED, stack) is Priority.CONFIRMED
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await asyncio.wait_for(hold(admission, Priority.SPECULATIVE, stack), 1.0)


@in_virtual_time
async def test_a_turn_that_is_over_gets_a_place_of_the_urgent() -> None:
    admission, confirmed = Admission(4), Future[None]()
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await hold(admission, Priority.SPECULATIVE, stack, confirmed=Future())
        waiting = asyncio.create_task(hold(admission, Priority.SPECULATIVE, stack, confirmed=confirmed))
        await asyncio.sleep(1.0)
        assert not waiting.done()
        confirmed.set_result(None)
        assert await asyncio.wait_for(waiting, 1.0) is Priority.CONFIRMED
    async with AsyncExitStack() as stack:
        for _ in range(4):
            await asyncio.wait_for(hold(admission, Priority.CONFIRMED, stack), 1.0)
        for _ in range(2):
            await asyncio.wait_for(hold(admission, Priority.SPECULATIVE, stack), 1.0)


@in_virtual_time
async def test_a_place_that_becomes_free_first_is_taken_as_what_it_is() -> None:
    admission = Admission(2)
    async with AsyncExitStack() as stack:
        async with AsyncExitStack() as first:
            await hold(admission, Priority.SPECULATIVE, first)
            waiting = asyncio.create_task(hold(admission, Priority.SPECULATIVE, stack, confirmed=Future()))
            await asyncio.sleep(1.0)
        assert await asyncio.wait_for(waiting, 1.0) is Priority.SPECULATIVE


@pytest.mark.parametrize("after_s", [0.0, 1.0])
@in_virtual_time
async def test_who_gives_up_waiting_takes_no_place_along(after_s: float) -> None:
    admission = Admission(2)
    async with AsyncExitStack() as stack:
        async with AsyncExitStack() as first:
            await hold(admission, Priority.SPECULATIVE, first)
            waiting = asyncio.create_task(hold(admission, Priority.SPECULATIVE, stack, confirmed=Future()))
            await asyncio.sleep(after_s)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with AsyncExitStack() as stack:
        assert await asyncio.wait_for(hold(admission, Priority.SPECULATIVE, stack), 1.0) is Priority.SPECULATIVE
