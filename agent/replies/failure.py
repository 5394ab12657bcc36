"""What a caller is told when an engine fails in the middle of a call."""

from dataclasses import dataclass, field
from enum import Enum

QUIET_S = 5.0
"""Failures that follow an apology within this time are part of the same trouble."""
PATIENCE = 3
"""After so many apologies in one call the agent gives up and says so."""


class FailureAnswer(Enum):
    """What to do about a failure."""

    NOTHING = "nothing"
    APOLOGISE = "apologise"
    SAY_GOODBYE = "say_goodbye"


@dataclass(slots=True)
class FailurePolicy:
    """One call's patience with its engines."""

    _apologies: list[float] = field(default_factory=list)
    _given_up: bool = False

    def failed(self, at_s: float) -> FailureAnswer:
        """An engine failed at this time."""
        if self._given_up or (self._apologies and at_s - self._apologies[-1] < QUIET_S):
            return FailureAnswer.NOTHING
        self._apologies.append(at_s)
        if len(self._apologies) < PATIENCE:
            return FailureAnswer.APOLOGISE
        self._given_up = True
        return FailureAnswer.SAY_GOODBYE
