"""How many calls the box takes at once."""

import threading

from serving.errors import AtCapacity


class CapacityGate:
    """A place for each call. Calls come from different threads."""

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
        """Share of the places taken, 0 to 1."""
        return min(1.0, self._active / self.max_calls)

    def enter(self) -> None:
        """Take a place. Raises AtCapacity when there is none."""
        with self._lock:
            if self._active >= self.max_calls:
                raise AtCapacity(
                    f"All {self.max_calls} lines are busy. Raise capacity.max_calls if the box can take more."
                )
            self._active += 1

    def leave(self) -> None:
        """Give the place back."""
        with self._lock:
            self._active -= 1
