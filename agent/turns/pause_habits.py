"""How a caller pauses within their turns: some search for words, some never do. Pure."""

from collections import deque
from dataclasses import dataclass, field

MIN_S = 0.1
"""Shorter silences are part of speech, such as the closure of a "t"."""
MAX_S = 3.0
"""After a longer silence the caller starts over."""
KEPT = 16
"""How many pauses are remembered."""


@dataclass(slots=True)
class PauseHabits:
    """The pauses of one call: silences that the caller ended by going on, with the agent silent too.

    If the agent took a turn to be over but the caller went on, that silence counts as a pause.
    """

    _pauses_s: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))
    _silence_s: float = 0.0
    _is_pause: bool = False
    """Whether the current silence follows the caller's own speech, and the agent has not spoken in it."""

    @property
    def pauses_s(self) -> tuple[float, ...]:
        """The last pauses, oldest first, seconds."""
        return tuple(self._pauses_s)

    def silent(self, silence_s: float, *, agent_speaks: bool) -> None:
        """The caller has been silent for `silence_s` since their last sound."""
        self._silence_s = silence_s
        self._is_pause = self._is_pause and not agent_speaks

    def speaks(self) -> None:
        """The caller is speaking."""
        if self._is_pause and MIN_S <= self._silence_s <= MAX_S:
            self._pauses_s.append(self._silence_s)
        self._silence_s = 0.0
        self._is_pause = True
