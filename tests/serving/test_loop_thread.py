"""A loop in a thread of its own: results, cancelling, closing."""

import asyncio
import threading
from concurrent.futures import CancelledError

import pytest

from serving.bridge import LoopThread

pytestmark = pytest.mark.unit


async def name() -> str:
    await asyncio.sleep(0)
    return threading.current_thread().name


async def forever(log: list[str]) -> None:
    try:
        log.append("began")
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        log.append("cancelled")
        raise


async def fail() -> None:
    raise ValueError("no")


def test_coroutines_run_in_the_thread_and_give_their_results() -> None:
    thread = LoopThread("loop")
    assert thread.submit(name()).result(10) == "loop"
    with pytest.raises(ValueError, match="no"):
        thread.submit(fail()).result(10)
    thread.close()


def test_cancelling_a_future_cancels_its_coroutine() -> None:
    thread = LoopThread("loop")
    log: list[str] = []
    future = thread.submit(forever(log))
    assert thread.submit(name()).result(10)
    future.cancel()
    assert thread.submit(name()).result(10)
    assert log == ["began", "cancelled"]
    thread.close()


def test_closing_cancels_what_runs_and_ends_the_thread() -> None:
    thread = LoopThread("loop to close")
    log: list[str] = []
    future = thread.submit(forever(log))
    assert thread.submit(name()).result(10)
    thread.close()
    thread.close()
    assert log == ["began", "cancelled"]
    assert future.cancelled()
    assert "loop to close" not in {one.name for one in threading.enumerate()}


def test_what_comes_after_the_end_is_cancelled() -> None:
    thread = LoopThread("loop")
    thread.close()
    log: list[str] = []
    with pytest.raises(CancelledError):
        thread.submit(forever(log)).result(1)
    assert log == []
