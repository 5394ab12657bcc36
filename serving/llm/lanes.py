"""Who computes next: one lane of work a priority, and urgent lanes stop the others between two tokens.

CTranslate2 has a first-come first-served queue of its own; nothing waits there, because every lane's threads have a
worker in it. So a summary that is half written stands still while a caller's answer is generated, and then goes on.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from serving.bridge import EngineThread
from serving.chat import Priority

T = TypeVar("T")


class Lanes:
    """Runs functions, `slots` at a time for each priority; within a lane, first come first served. Thread-safe."""

    def __init__(self, name: str, slots: int) -> None:
        self._slots = slots
        self._threads = {lane: EngineThread(f"{name}-{lane.name.lower()}", threads=slots) for lane in Priority}
        self._unfinished = dict.fromkeys(Priority, 0)
        self._changed = threading.Condition()

    @staticmethod
    def workers(slots: int) -> int:
        """How many functions can be under way at once, the paused ones included."""
        return slots * len(Priority)

    def submit(self, lane: Priority, function: Callable[[], T]) -> "Future[T]":
        """Queue `function`. Cancelling works until it has begun."""
        with self._changed:
            self._unfinished[lane] += 1
        future = self._threads[lane].submit(function)
        future.add_done_callback(lambda _: self._leave(lane))
        return future

    def wait_turn(self, lane: Priority, cancelled: Callable[[], bool]) -> None:
        """Called by work before each step: returns when no more urgent work fills the slots, or once `cancelled()`."""
        if lane is Priority.CONFIRMED:
            return
        with self._changed:
            self._changed.wait_for(lambda: cancelled() or self._ahead_of(lane) < self._slots)

    def wake(self) -> None:
        """Let paused work look whether it has been cancelled."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """End the threads; what waits is cancelled."""
        for threads in self._threads.values():
            threads.close()

    def _ahead_of(self, lane: Priority) -> int:
        return sum(count for other, count in self._unfinished.items() if other < lane)

    def _leave(self, lane: Priority) -> None:
        with self._changed:
            self._unfinished[lane] -= 1
            self._changed.notify_all()
