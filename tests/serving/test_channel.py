"""Items from any thread to one event loop."""

import asyncio
import threading

import pytest

from serving.bridge import Channel, EngineThread

pytestmark = pytest.mark.unit

SOON_S = 10.0
"""Nothing here takes longer, however busy the machine."""


async def test_items_arrive_in_order_from_another_thread() -> None:
    channel, thread = Channel[int](), EngineThread("test")

    def produce() -> None:
        for item in range(100):
            channel.put(item)
        channel.finish()

    thread.submit(produce)
    assert [item async for item in channel] == list(range(100))
    thread.close()


async def test_an_error_comes_after_the_items_before_it() -> None:
    channel = Channel[str]()
    channel.put("one")
    channel.finish(ValueError("broken"))
    items = aiter(channel)
    assert await anext(items) == "one"
    with pytest.raises(ValueError, match="broken"):
        await anext(items)


async def test_what_has_ended_stays_ended() -> None:
    channel = Channel[str]()
    channel.finish()
    assert [item async for item in channel] == []
    channel.put("late")
    assert [item async for item in channel] == []


async def test_cancelling_ends_a_pending_iteration_and_tells_the_producer() -> None:
    channel = Channel[str]()

    async def consume() -> list[str]:
        return [item async for item in channel]

    consuming = asyncio.create_task(consume())
    await asyncio.sleep(0)
    assert not channel.cancelled
    channel.cancel()
    assert await asyncio.wait_for(consuming, SOON_S) == []
    assert channel.cancelled
    channel.cancel()


async def test_what_comes_after_a_cancel_is_dropped() -> None:
    channel = Channel[str]()
    channel.put("before")
    channel.cancel()
    channel.put("after")
    channel.finish(ValueError("nobody asked"))
    assert [item async for item in channel] == []


def test_a_producer_that_outlives_the_loop_is_told_to_stop() -> None:
    async def make() -> Channel[str]:
        return Channel[str]()

    channel = asyncio.run(make())
    assert not channel.cancelled
    channel.put("to nobody")
    assert channel.cancelled
    channel.finish()


async def test_a_channel_belongs_to_the_loop_that_made_it() -> None:
    """The producer may live on another event loop."""
    channel = Channel[int]()

    async def produce() -> None:
        for item in range(3):
            channel.put(item)
            await asyncio.sleep(0.001)
        channel.finish()

    other = threading.Thread(target=lambda: asyncio.run(produce()))
    other.start()
    assert [item async for item in channel] == [0, 1, 2]
    other.join(SOON_S)
