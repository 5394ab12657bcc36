"""When a process that died is started again, and when that is given up. Pure: times come in, decisions go out."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartOptions:
    """How patient the supervisor is with one process."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    max_restarts: int = 5
    """Restarts allowed within `window_s`."""
    window_s: float = 300.0
    """Older restarts are forgotten."""
    first_delay_s: float = 0.5
    """Wait before the first restart; it doubles with each further one in the window."""
    max_delay_s: float = 10.0
    """Longest wait."""


@dataclass(frozen=True, slots=True)
class Restart:
    """Start it again after `delay_s`."""

    delay_s: float
    number: int
    """1 for the first in the window."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """It died too often; what is wrong will not go away by itself."""

    restarts: int


class RestartPolicy:
    """Restarts of one process: exponential backoff within a budget per sliding window."""

    def __init__(self, options: RestartOptions) -> None:
        self._options = options
        self._restarts_s: list[float] = []

    def on_death(self, now_s: float) -> Restart | GiveUp:
        """The process died at `now_s` (any clock that never goes back)."""
        options = self._options
        self._restarts_s = [at_s for at_s in self._restarts_s if now_s - at_s < options.window_s]
        restarts = len(self._restarts_s)
        if restarts >= options.max_restarts:
            return GiveUp(restarts)
        self._restarts_s.append(now_s)
        delay_s = min(options.first_delay_s * 2.0**restarts, options.max_delay_s)
        return Restart(delay_s, restarts + 1)
