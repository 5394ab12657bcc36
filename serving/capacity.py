"""How many calls this machine takes at once."""

import threading

from serving.errors import AtCapacity


class CapacityGate:
    """Limits the number of calls. Thread-safe."""

    def __init__(self, max_calls: int) -> None:
        self.max_calls = max_calls
        self._active = 0
        self._lock = threading.Lock()

    @property
    def active(self) -> int:
        """Calls in progress."""
        return self._active

    @property
    def load(self) -> float:
        """Share of the lines in use, 0 to 1."""
        return min(1.0, self._active / self.max_calls)

    def enter(self) -> None:
        """Take a line. Raises AtCapacity if all are busy."""
        with self._lock:
            if self._active >= self.max_calls:
                raise AtCapacity(
                    f"All {self.max_calls} lines are busy. Raise capacity.max_calls if this machine can take more."
                )
            self._active += 1

    def leave(self) -> None:
        """Free the line."""
        with self._lock:
            self._active -= 1
