"""An engine's thread: one function at a time, most urgent first."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future

import pytest

from serving.bridge import EngineThread

pytestmark = pytest.mark.unit

SOON_S = 10.0
"""Nothing here takes longer, however busy the machine."""


class Blocked:
    """An EngineThread that is busy until it is released."""

    def __init__(self) -> None:
        self.thread = EngineThread("test")
        self._gate, begun = threading.Event(), threading.Event()

        def wait() -> str:
            begun.set()
            self._gate.wait(SOON_S)
            return "first"

        self.first = self.thread.submit(wait)
        begun.wait(SOON_S)

    def release(self) -> None:
        """Let it go on."""
        self._gate.set()


@pytest.fixture
def blocked() -> Iterator[Blocked]:
    """A thread that is busy until released, at the latest when the test ends."""
    made = Blocked()
    yield made
    made.release()
    made.thread.close()


def test_a_function_runs_on_the_named_thread() -> None:
    thread = EngineThread("stt")
    assert thread.submit(lambda: threading.current_thread().name).result(SOON_S) == "stt"
    thread.close()


def test_the_most_urgent_goes_first_and_equals_in_order(blocked: Blocked) -> None:
    order: list[str] = []
    jobs = [("late", 2), ("soon", 1), ("now", 0), ("soon too", 1), ("now too", 0), ("before", -1)]
    futures = [blocked.thread.submit(lambda name=name: order.append(name), priority=p) for name, p in jobs]  # type: ignore[misc]
    assert blocked.thread.depth == 6
    blocked.release()
    for future in futures:
        future.result(SOON_S)
    assert order == ["before", "now", "now too", "soon", "soon too", "late"]


def test_functions_never_overlap() -> None:
    thread, inside, overlaps = EngineThread("test"), threading.Lock(), []

    def work() -> None:
        if not inside.acquire(blocking=False):
            overlaps.append(True)
            return
        time.sleep(0.001)
        inside.release()

    for future in [thread.submit(work) for _ in range(30)]:
        future.result(SOON_S)
    thread.close()
    assert overlaps == []


def test_what_is_cancelled_before_it_begins_never_runs(blocked: Blocked) -> None:
    ran: list[str] = []
    future = blocked.thread.submit(lambda: ran.append("it"))
    assert future.cancel()
    after = blocked.thread.submit(lambda: ran.append("after"))
    blocked.release()
    after.result(SOON_S)
    assert ran == ["after"]


def test_what_has_begun_runs_to_its_end(blocked: Blocked) -> None:
    assert not blocked.first.cancel()
    blocked.release()
    assert blocked.first.result(SOON_S) == "first"


async def test_a_caller_that_is_cancelled_in_line_takes_its_function_along(blocked: Blocked) -> None:
    ran: list[str] = []
    waiting = asyncio.create_task(blocked.thread.run(lambda: ran.append("it")))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    blocked.release()
    await blocked.thread.run(lambda: ran.append("after"))
    assert ran == ["after"]


@pytest.mark.parametrize("error", [ValueError("bad"), KeyboardInterrupt(), SystemExit(1)])
def test_an_error_reaches_whoever_waits_and_the_thread_lives_on(error: BaseException) -> None:
    thread = EngineThread("test")

    def fail() -> None:
        raise error

    future = thread.submit(fail)
    with pytest.raises(type(error)):
        future.result(SOON_S)
    assert thread.submit(lambda: "alive").result(SOON_S) == "alive"
    thread.close()


async def test_run_gives_the_result_or_the_error() -> None:
    thread = EngineThread("test")
    assert await thread.run(lambda: 42) == 42

    def fail() -> None:
        raise ValueError("bad")

    with pytest.raises(ValueError, match="bad"):
        await thread.run(fail)
    thread.close()


def test_closing_finishes_what_runs_and_cancels_what_waits(blocked: Blocked) -> None:
    waiting = [blocked.thread.submit(lambda: None) for _ in range(3)]
    closing = threading.Thread(target=blocked.thread.close)
    closing.start()
    blocked.release()
    closing.join(SOON_S)
    assert blocked.first.result(SOON_S) == "first"
    assert all(future.cancelled() for future in waiting)


def test_closing_wakes_whoever_waits_for_what_is_cancelled(blocked: Blocked) -> None:
    future = blocked.thread.submit(lambda: None)
    threading.Timer(0.01, blocked.release).start()
    blocked.thread.close()
    with pytest.raises(CancelledError):
        future.result(SOON_S)


def test_a_closed_thread_takes_nothing_and_closes_again() -> None:
    thread = EngineThread("test")
    thread.close()
    thread.close()
    with pytest.raises(RuntimeError, match="test is closed"):
        thread.submit(lambda: None).result(SOON_S)


def test_a_thread_can_close_itself() -> None:
    thread = EngineThread("closes itself")
    thread.submit(thread.close).result(SOON_S)
    deadline = time.monotonic() + SOON_S
    while "closes itself" in {running.name for running in threading.enumerate()} and time.monotonic() < deadline:
        time.sleep(0.001)
    assert "closes itself" not in {running.name for running in threading.enumerate()}
    with pytest.raises(RuntimeError, match="is closed"):
        thread.submit(lambda: None).result(SOON_S)


class SlowOrder:
    """Is slow to take its place in the queue, so that the thread can be closed meanwhile."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self._next = 0

    def __iter__(self) -> "SlowOrder":
        return self

    def __next__(self) -> int:
        self._next += 1
        if self._next == 1:
            self.asked.set()
            time.sleep(0.05)
        return self._next


def test_what_is_submitted_while_it_closes_is_not_forgotten() -> None:
    """Everyone who submits gets an answer: a result, a cancellation or an error. Nobody waits for ever."""
    thread, order, futures = EngineThread("test"), SlowOrder(), list[Future[str]]()
    thread._order = order  # type: ignore[assignment]
    submitting = threading.Thread(target=lambda: futures.append(thread.submit(lambda: "done")))
    submitting.start()
    order.asked.wait(SOON_S)
    thread.close()
    submitting.join(SOON_S)
    with contextlib.suppress(CancelledError):
        assert futures[0].result(SOON_S) == "done"
