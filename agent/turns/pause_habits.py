"""A caller's habit of pausing inside their turns: some search for words, some never do."""

from collections import deque
from dataclasses import dataclass, field

LEAST_S = 0.1
"""Shorter silences are part of speech: the closure of a "t" is one."""
LONGEST_S = 3.0
"""After a longer one the caller began anew."""
KEPT = 16
"""So many pauses are remembered, the newest."""


@dataclass(slots=True)
class PauseHabits:
    """One call's pauses: silences that the caller ended by going on, without the agent having said anything meanwhile.

    A turn that was taken for over before its caller went on counts too: that silence was a pause all the same.
    """

    _pauses_s: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))
    _silence_s: float = 0.0
    _is_pause: bool = False
    """Whether the silence going on follows the caller's own speech, and the agent has been silent in it too."""

    @property
    def pauses_s(self) -> tuple[float, ...]:
        """The last pauses, oldest first, seconds."""
        return tuple(self._pauses_s)

    def silent(self, silence_s: float, *, agent_speaks: bool) -> None:
        """The caller has been silent for so long since their last sound."""
        self._silence_s = silence_s
        self._is_pause = self._is_pause and not agent_speaks

    def speaks(self) -> None:
        """The caller is speaking."""
        if self._is_pause and LEAST_S <= self._silence_s <= LONGEST_S:
            self._pauses_s.append(self._silence_s)
        self._silence_s = 0.0
        self._is_pause = True
