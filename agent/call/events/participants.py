"""Events about a call as a whole, and who is in it."""

from dataclasses import dataclass
from enum import Enum

from agent.call.spoken import Spoken


class EndReason(Enum):
    """Why a call ended: a label of metrics.CALLS."""

    CALLER_LEFT = "caller_left"
    AGENT_HUNG_UP = "agent_hung_up"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CallBegan:
    """The agent is in the room and listens."""


@dataclass(frozen=True, slots=True)
class HangingUp:
    """The agent has said its last words and leaves."""

    reason: EndReason


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The last event of every call."""

    reason: EndReason


@dataclass(frozen=True, slots=True)
class ParticipantJoined:
    """Somebody has joined the room, or was in it when the call began."""

    identity: Spoken
    """That of a telephone caller contains their number."""
    is_telephone: bool = False


@dataclass(frozen=True, slots=True)
class ParticipantLeft:
    """Somebody has left the room."""

    identity: Spoken
