"""Decides when a dead process is restarted, and when to give up. Pure: times in, decisions out."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartOptions:
    """Restart budget of a process."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    max_restarts: int = 5
    """Restarts allowed within `window_s`."""
    window_s: float = 300.0
    """Older restarts do not count."""
    first_delay_s: float = 0.5
    """Delay before the first restart; doubles with each further one in the window."""
    max_delay_s: float = 10.0
    """Longest delay."""


@dataclass(frozen=True, slots=True)
class Restart:
    """Restart it after `delay_s`."""

    delay_s: float
    number: int
    """1 for the first in the window."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """It died too often: the cause will not go away by itself."""

    restarts: int


class RestartPolicy:
    """Exponential backoff for one process, with a budget per sliding window."""

    def __init__(self, options: RestartOptions) -> None:
        self._options = options
        self._restarts_s: list[float] = []

    def on_death(self, now_s: float) -> Restart | GiveUp:
        """The process died at `now_s` (any monotonic clock)."""
        options = self._options
        self._restarts_s = [at_s for at_s in self._restarts_s if now_s - at_s < options.window_s]
        restarts = len(self._restarts_s)
        if restarts >= options.max_restarts:
            return GiveUp(restarts)
        self._restarts_s.append(now_s)
        delay_s = min(options.first_delay_s * 2.0**restarts, options.max_delay_s)
        return Restart(delay_s, restarts + 1)
