"""What happens in a call, as values: one frozen union of payloads.

Payloads fall into two unions. `PublicPayload` holds counts, times and our own names; logs and metrics get nothing else.
`ConfidentialPayload` holds what somebody said (fields of type Spoken); captions, journal, desk and notes get both.

To add an event, write a frozen dataclass in one of this package's files and add its name to one of the two unions. Publish it
where it happens; subscribers match the events they need and ignore the others. If it changes the state of the call, add it to
the table in agent/call/state.py.
"""

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeGuard, TypeVar, get_args

from agent.call.events.attached import (
    ConsentAnswered,
    HoldChanged,
    TransferProgressed,
    TransferStage,
)
from agent.call.events.caller import (
    CallerMessage,
    CallerStartedSpeaking,
    CallerStoppedSpeaking,
    CallerTranscript,
    CallerUnintelligible,
    Silence,
)
from agent.call.events.engines import (
    EngineFailed,
    EngineLate,
    EngineReloaded,
    ToolCalled,
    ToolExchange,
    ToolReturned,
)
from agent.call.events.figures import (
    CallerTurnTimed,
    LlmUsage,
    ReplyTimed,
    TurnFigures,
)
from agent.call.events.participants import (
    CallBegan,
    CallEnded,
    EndReason,
    HangingUp,
    ParticipantJoined,
    ParticipantLeft,
)
from agent.call.events.replies import (
    AgentHeard,
    AgentIdle,
    AgentInterrupted,
    AgentMessage,
    AgentStartedSpeaking,
    AgentStoppedSpeaking,
    Refusal,
    ReplyBegunAhead,
    ReplyComputed,
    ReplyConfirmed,
    ReplyDropped,
    ReplyEnded,
    ReplyPutOff,
)
from agent.call.events.states import CallState, StateChanged
from agent.call.events.turns import (
    BargeIn,
    OverlapJudged,
    OverlapSampled,
    OverlapVerdict,
    TurnDecided,
    TurnDecidedBy,
    TurnJudged,
    TurnOver,
)

PublicPayload: TypeAlias = (
    CallBegan
    | StateChanged
    | HangingUp
    | CallEnded
    | CallerStartedSpeaking
    | CallerStoppedSpeaking
    | CallerUnintelligible
    | Silence
    | TurnJudged
    | TurnDecided
    | TurnOver
    | BargeIn
    | OverlapSampled
    | OverlapJudged
    | ReplyBegunAhead
    | ReplyPutOff
    | ReplyConfirmed
    | ReplyDropped
    | ReplyComputed
    | ReplyEnded
    | AgentStartedSpeaking
    | AgentStoppedSpeaking
    | AgentIdle
    | AgentInterrupted
    | ToolCalled
    | ToolReturned
    | EngineFailed
    | EngineLate
    | EngineReloaded
    | CallerTurnTimed
    | ReplyTimed
    | LlmUsage
    | TurnFigures
    | HoldChanged
    | ConsentAnswered
    | TransferProgressed
)
"""Holds nothing that anybody said: may go to logs and metrics."""
ConfidentialPayload: TypeAlias = (
    ParticipantJoined | ParticipantLeft | CallerTranscript | CallerMessage | AgentHeard | AgentMessage | ToolExchange
)
"""Holds words, names or identities of people."""
Payload: TypeAlias = PublicPayload | ConfidentialPayload

P_co = TypeVar("P_co", bound=Payload, covariant=True)
_PUBLIC = frozenset(get_args(PublicPayload))


@dataclass(frozen=True, slots=True)
class CallEvent(Generic[P_co]):
    """Something that happened in a call."""

    call_id: str
    at_s: float
    """Seconds since the call began, on the monotonic clock."""
    payload: P_co


def is_public(event: CallEvent[Payload]) -> "TypeGuard[CallEvent[PublicPayload]]":
    """Whether an event may go to logs and metrics."""
    return type(event.payload) in _PUBLIC


__all__ = [
    "AgentHeard",
    "AgentIdle",
    "AgentInterrupted",
    "AgentMessage",
    "AgentStartedSpeaking",
    "AgentStoppedSpeaking",
    "BargeIn",
    "CallBegan",
    "CallEnded",
    "CallEvent",
    "CallState",
    "CallerMessage",
    "CallerStartedSpeaking",
    "CallerStoppedSpeaking",
    "CallerTranscript",
    "CallerTurnTimed",
    "CallerUnintelligible",
    "ConfidentialPayload",
    "ConsentAnswered",
    "EndReason",
    "EngineFailed",
    "EngineLate",
    "EngineReloaded",
    "HangingUp",
    "HoldChanged",
    "LlmUsage",
    "OverlapJudged",
    "OverlapSampled",
    "OverlapVerdict",
    "ParticipantJoined",
    "ParticipantLeft",
    "Payload",
    "PublicPayload",
    "Refusal",
    "ReplyBegunAhead",
    "ReplyComputed",
    "ReplyConfirmed",
    "ReplyDropped",
    "ReplyEnded",
    "ReplyPutOff",
    "ReplyTimed",
    "Silence",
    "StateChanged",
    "ToolCalled",
    "ToolExchange",
    "ToolReturned",
    "TransferProgressed",
    "TransferStage",
    "TurnDecided",
    "TurnDecidedBy",
    "TurnFigures",
    "TurnJudged",
    "TurnOver",
    "is_public",
]
