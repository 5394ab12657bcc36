"""What the caller hears when an engine fails during a call."""

from dataclasses import dataclass, field
from enum import Enum

SAME_FAILURE_S = 5.0
"""Failures within this time after an apology belong to the same incident and get no new one."""
MAX_APOLOGIES = 3
"""The last of this many apologies in one call is a goodbye: the agent gives up and says so."""


class FailureAnswer(Enum):
    """How to answer a failure."""

    NOTHING = "nothing"
    APOLOGISE = "apologise"
    SAY_GOODBYE = "say_goodbye"


@dataclass(slots=True)
class FailurePolicy:
    """Decides, for one call, when to apologise and when to give up."""

    _apologies: list[float] = field(default_factory=list)
    _given_up: bool = False

    def failed(self, at_s: float) -> FailureAnswer:
        """An engine failed at `at_s`: how to answer it."""
        if self._given_up or (self._apologies and at_s - self._apologies[-1] < SAME_FAILURE_S):
            return FailureAnswer.NOTHING
        self._apologies.append(at_s)
        if len(self._apologies) < MAX_APOLOGIES:
            return FailureAnswer.APOLOGISE
        self._given_up = True
        return FailureAnswer.SAY_GOODBYE
