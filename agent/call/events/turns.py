"""Events about the ends of the caller's turns, and about sound over the agent's voice."""

from dataclasses import dataclass
from enum import Enum


class TurnDecidedBy(Enum):
    """Why a turn was over: a label of metrics.TURN_ENDS."""

    JUDGEMENT = "judgement"
    """The engine was sure enough."""
    LONGEST_DELAY = "longest_delay"
    """The engine never was sure enough."""
    SILENCE = "silence"
    """There was no judgement."""


class OverlapVerdict(Enum):
    """What sound over the agent's voice was taken for: a label of metrics.OVERLAPS."""

    INTERRUPTION = "interruption"
    BACKCHANNEL = "backchannel"
    OTHER = "other"
    FALLBACK = "fallback"
    """There was no judgement: the VAD decided by its length."""


@dataclass(frozen=True, slots=True)
class TurnJudged:
    """The end-of-turn engine has judged a pause."""

    probability: float
    """That the turn is over, 0 to 1."""
    silence_s: float
    """How long the pause had lasted."""
    inference_s: float


@dataclass(frozen=True, slots=True)
class TurnDecided:
    """Why the turn that is being answered was over."""

    by: TurnDecidedBy | None
    """None: LiveKit decided alone."""
    probability: float | None
    """From the engine's last judgement."""
    judgements: int
    """How many judgements the whole turn took."""


@dataclass(frozen=True, slots=True)
class TurnOver:
    """The caller's turn is over, and is being answered."""


@dataclass(frozen=True, slots=True)
class BargeIn:
    """The caller wants the floor."""


@dataclass(frozen=True, slots=True)
class OverlapSampled:
    """The interruption engine has judged a window of sound over the agent's voice."""

    interruption: float
    """Probability that the caller wants the floor."""
    inference_s: float


@dataclass(frozen=True, slots=True)
class OverlapJudged:
    """What sound over the agent's voice was taken for."""

    verdict: OverlapVerdict
    after_s: float
    """Since it began."""
