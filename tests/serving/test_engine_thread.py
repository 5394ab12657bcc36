"""The engines' thread: order, urgency, cancelling, failing, closing."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from serving.bridge import EngineThread

pytestmark = pytest.mark.unit


def held(thread: EngineThread, workers: int = 1) -> Callable[[], None]:
    """Keep all workers busy; the returned function releases them."""
    gate = threading.Event()
    started = [threading.Event() for _ in range(workers)]

    def wait(mine: threading.Event) -> None:
        mine.set()
        gate.wait(5)

    for event in started:
        thread.submit(lambda event=event: wait(event))  # type: ignore[misc]
    assert all(event.wait(5) for event in started)
    return gate.set


def test_the_most_urgent_runs_first_and_equals_in_order() -> None:
    thread, done = EngineThread("test"), list[str]()
    release = held(thread)
    futures = [
        thread.submit(lambda name=name: done.append(name), priority=priority)  # type: ignore[misc]
        for name, priority in (("late", 5), ("first", 1), ("second", 1), ("at once", -1))
    ]
    assert thread.depth == 4
    release()
    for future in futures:
        future.result(5)
    thread.close()
    assert done == ["at once", "first", "second", "late"]


def test_several_workers_run_at_once() -> None:
    thread = EngineThread("test", threads=2)
    meeting = threading.Barrier(2)
    futures = [thread.submit(lambda: meeting.wait(5)) for _ in range(2)]
    assert sorted(future.result(5) for future in futures) == [0, 1]
    thread.close()


async def test_what_was_cancelled_before_its_turn_never_runs() -> None:
    thread, done = EngineThread("test"), list[int]()
    release = held(thread)
    waiting = asyncio.create_task(thread.run(lambda: done.append(1)))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    release()
    await thread.run(lambda: done.append(2))
    thread.close()
    assert done == [2]


async def test_an_error_reaches_whoever_waits_and_the_thread_goes_on() -> None:
    thread = EngineThread("test")
    with pytest.raises(ZeroDivisionError):
        await thread.run(lambda: 1 / 0)
    assert await thread.run(lambda: 7) == 7
    thread.close()


@pytest.mark.parametrize("workers", [1, 3])
def test_closing_cancels_what_waits_and_refuses_more(workers: int) -> None:
    thread = EngineThread("test", threads=workers)
    release = held(thread, workers)
    waiting = thread.submit(lambda: 1)
    threading.Timer(0.05, release).start()
    thread.close()
    thread.close()
    assert waiting.cancelled()
    with pytest.raises(RuntimeError, match="test is closed"):
        thread.submit(lambda: 1).result(5)
