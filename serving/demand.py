"""How busy a process's engines are right now, across all calls."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Demand:
    """Counts replies being computed and callers waiting for one. Thread-safe."""

    def __init__(self) -> None:
        self._computing = 0
        self._waiting: dict[int, float] = {}
        self._lock = threading.Lock()

    @property
    def computing(self) -> int:
        """Replies being generated."""
        return self._computing

    @property
    def longest_wait_s(self) -> float:
        """The longest that any caller has been waiting; 0 if nobody is."""
        with self._lock:
            return time.monotonic() - min(self._waiting.values()) if self._waiting else 0.0

    @contextmanager
    def reply(self) -> Iterator[None]:
        """Count a reply as being computed, within the `with`."""
        with self._lock:
            self._computing += 1
        try:
            yield
        finally:
            with self._lock:
                self._computing -= 1

    def wait(self, who: object) -> None:
        """The turn that `who` answers is over: a caller is waiting for its first sound."""
        with self._lock:
            self._waiting.setdefault(id(who), time.monotonic())

    def answered(self, who: object) -> None:
        """The first sound of `who` is ready, or there will be none. Safe to call twice."""
        with self._lock:
            self._waiting.pop(id(who), None)
