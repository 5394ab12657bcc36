"""Events of what attaches to a call: hold, consent, transfer."""

from dataclasses import dataclass
from enum import Enum


class TransferStage(Enum):
    """How far handing over a call has come."""

    REQUESTED = "requested"
    RINGING = "ringing"
    ANSWERED = "answered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class HoldChanged:
    """The caller was put on hold or taken off hold."""

    is_on_hold: bool


@dataclass(frozen=True, slots=True)
class ConsentAnswered:
    """The caller has answered a request for consent."""

    subject: str
    """What for, such as "recording"."""
    is_given: bool


@dataclass(frozen=True, slots=True)
class TransferProgressed:
    """The call is being handed to somebody else."""

    stage: TransferStage
