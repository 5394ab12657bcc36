"""Events about the agent's replies: begun ahead, confirmed, heard, cut short."""

from dataclasses import dataclass
from enum import Enum

from agent.call.spoken import Spoken


class Refusal(Enum):
    """Why a reply may not start yet. Once its turn is over, it starts regardless."""

    BUDGET = "budget"
    """This turn has used up its early starts, or wasted too much."""
    LOAD = "load"
    """The engines are busy with other callers' replies."""
    UNLIKELY = "unlikely"
    """The caller sounds as if they will continue."""


@dataclass(frozen=True, slots=True)
class ReplyBegunAhead:
    """A reply is being computed before its turn is known to be over."""

    reply_id: str


@dataclass(frozen=True, slots=True)
class ReplyPutOff:
    """A reply could have been begun ahead, and was not."""

    reply_id: str
    reason: Refusal


@dataclass(frozen=True, slots=True)
class ReplyConfirmed:
    """The turn is over, and the reply prepared for it will be spoken."""

    reply_id: str
    lead_s: float | None
    """How much sooner it could sound because it was begun ahead. None if it was not."""
    put_off_s: float
    """How long it was ready to begin but was put off."""


@dataclass(frozen=True, slots=True)
class ReplyDropped:
    """The caller went on: the reply prepared for this pause will never be spoken."""

    reply_id: str
    was_begun: bool
    """Whether anything had been computed for it."""


@dataclass(frozen=True, slots=True)
class ReplyComputed:
    """Work done for a reply since the last ReplyComputed for it."""

    reply_id: str
    is_used: bool
    """Whether the reply is spoken. Otherwise the work was wasted."""
    tokens: int
    audio_s: float


@dataclass(frozen=True, slots=True)
class ReplyEnded:
    """Everything about a reply is over."""

    reply_id: str
    is_interrupted: bool


@dataclass(frozen=True, slots=True)
class AgentStartedSpeaking:
    """The first sound of a reply leaves the worker."""


@dataclass(frozen=True, slots=True)
class AgentStoppedSpeaking:
    """The last sound of a reply has left the worker, or the reply was cut short."""

    is_interrupted: bool


@dataclass(frozen=True, slots=True)
class AgentIdle:
    """The agent has nothing more to say for now."""


@dataclass(frozen=True, slots=True)
class AgentHeard:
    """What the caller has heard of a reply so far, word for word."""

    segment: str
    """Identifies the caption of this reply."""
    said: Spoken
    is_final: bool
    is_interrupted: bool = False


@dataclass(frozen=True, slots=True)
class AgentMessage:
    """What enters the history as the agent's message. If it was cut short, only what was heard."""

    said: Spoken
    is_interrupted: bool


@dataclass(frozen=True, slots=True)
class AgentInterrupted:
    """A reply was cut short by the caller."""
