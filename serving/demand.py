"""What the engines of a process are asked for right now, over all calls."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Demand:
    """Counts replies being computed, and callers who wait for one. Calls come from different threads."""

    def __init__(self) -> None:
        self._computing = 0
        self._waiting: dict[int, float] = {}
        self._lock = threading.Lock()

    @property
    def computing(self) -> int:
        """Replies that language models are at work on."""
        return self._computing

    @property
    def longest_wait_s(self) -> float:
        """How long the caller has waited who has waited longest; 0 if none does."""
        with self._lock:
            return time.monotonic() - min(self._waiting.values()) if self._waiting else 0.0

    @contextmanager
    def reply(self) -> Iterator[None]:
        """A reply is being computed, inside."""
        with self._lock:
            self._computing += 1
        try:
            yield
        finally:
            with self._lock:
                self._computing -= 1

    def wait(self, who: object) -> None:
        """The turn that `who` answers is over; somebody waits for the first sound."""
        with self._lock:
            self._waiting.setdefault(id(who), time.monotonic())

    def answered(self, who: object) -> None:
        """The first sound of `who` is there, or there will be none. Safe to call twice."""
        with self._lock:
            self._waiting.pop(id(who), None)
