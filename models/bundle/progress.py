"""Progress as plain lines on stderr, for a machine with only Python. Standard library only."""

import sys
import time
from collections.abc import Callable

GB = 1e9
INTERVAL_S = 2.0

Advance = Callable[[int], None]
"""Called with the number of bytes done since the last call."""


class ProgressLines:
    """Prints a line every two seconds; nothing for shorter work."""

    def __init__(self, what: str, total_bytes: int) -> None:
        self._what = what
        self._total_bytes = total_bytes
        self._done_bytes = 0
        self._shown_s = time.monotonic()

    def advance(self, count: int) -> None:
        """Count more bytes as done."""
        self._done_bytes += count
        now_s = time.monotonic()
        if now_s - self._shown_s >= INTERVAL_S:
            self._shown_s = now_s
            percent = 100 * self._done_bytes / max(self._total_bytes, 1)
            say(f"    {self._what}: {self._done_bytes / GB:.2f} of {self._total_bytes / GB:.2f} GB ({percent:.0f} %)")


def say(line: str) -> None:
    """Print a line to stderr."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def megabytes(count: int) -> str:
    """Bytes as people read them."""
    return f"{count / 1e6:,.1f} MB"
