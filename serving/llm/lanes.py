"""Decides who computes next: one lane of work per priority, and urgent lanes pause the others between tokens.

CTranslate2's own queue is first come, first served; nothing waits there, because every thread of every lane has a worker.
So a half-written summary pauses while a caller's answer is generated, and then continues.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from serving.bridge import EngineThread
from serving.chat import Priority

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Work:
    lane: Priority
    function: Callable[[], Any]
    future: "Future[Any]" = field(default_factory=Future)
    is_taken: bool = False
    """A thread has taken it; it may be queued in two lanes."""


class Lanes:
    """Runs functions, `slots` at a time per priority; within a lane first come, first served. Thread-safe."""

    def __init__(self, name: str, slots: int) -> None:
        self._slots = slots
        self._threads = {lane: EngineThread(f"{name}-{lane.name.lower()}", threads=slots) for lane in Priority}
        self._unfinished = dict.fromkeys(Priority, 0)
        self._work: dict[Future[Any], _Work] = {}
        self._changed = threading.Condition()

    @staticmethod
    def workers(slots: int) -> int:
        """How many functions can have begun at once, paused ones included."""
        return slots * len(Priority)

    def submit(self, lane: Priority, function: Callable[[], T]) -> "Future[T]":
        """Queue `function`. It can be cancelled until it begins."""
        work = _Work(lane, function)
        with self._changed:
            self._unfinished[lane] += 1
            self._work[work.future] = work
            self._changed.notify_all()
        work.future.add_done_callback(self._leave)
        self._queue(work)
        return work.future

    def promote(self, future: "Future[Any]") -> None:
        """Give a submitted function the highest priority, whether it is waiting, paused or running."""
        with self._changed:
            work = self._work.get(future)
            if work is None or work.lane is Priority.CONFIRMED:
                return
            self._unfinished[work.lane] -= 1
            self._unfinished[Priority.CONFIRMED] += 1
            work.lane = Priority.CONFIRMED
            waits = not work.is_taken
            self._changed.notify_all()
        if waits:
            self._queue(work)

    def wait_turn(self, lane: Callable[[], Priority], cancelled: Callable[[], bool], *, is_ahead: bool = False) -> None:
        """Called by work before each step: returns when no more urgent work fills the slots, or once `cancelled()`. `lane`
        gives the work's lane, which `promote` may have changed. Work that `is_ahead` of what is needed waits to be promoted,
        unless others are waiting for its slot."""

        def may_go_on() -> bool:
            own = lane()
            if cancelled() or own is Priority.CONFIRMED:
                return True
            return self._ahead_of(own) < self._slots and not (is_ahead and self._unfinished[own] <= self._slots)

        if lane() is Priority.CONFIRMED:
            return
        with self._changed:
            self._changed.wait_for(may_go_on)

    def wake(self) -> None:
        """Let paused work check whether it has been cancelled."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """End the threads, and cancel whatever is waiting."""
        for threads in self._threads.values():
            threads.close()

    def _queue(self, work: _Work) -> None:
        queued = self._threads[work.lane].submit(lambda: self._run(work))
        queued.add_done_callback(lambda done: self._dropped(work, done))

    def _run(self, work: _Work) -> None:
        if not self._take(work) or not work.future.set_running_or_notify_cancel():
            return
        try:
            result = work.function()
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits for the future
            work.future.set_exception(error)
        else:
            work.future.set_result(result)

    def _take(self, work: _Work) -> bool:
        """Whether nobody else had taken the work yet."""
        with self._changed:
            is_first, work.is_taken = not work.is_taken, True
        return is_first

    def _dropped(self, work: _Work, queued: "Future[None]") -> None:
        """Cancel work that has not begun if the lanes are closed: it never will."""
        if queued.cancelled():
            work.future.cancel()
        elif (error := queued.exception()) is not None and self._take(work):
            work.future.set_exception(error)

    def _ahead_of(self, lane: Priority) -> int:
        return sum(count for other, count in self._unfinished.items() if other < lane)

    def _leave(self, done: "Future[Any]") -> None:
        with self._changed:
            self._unfinished[self._work.pop(done).lane] -= 1
            self._changed.notify_all()
