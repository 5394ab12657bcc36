"""Whether a reply may be begun before its turn is known to be over. Pure: figures in, decision out."""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar


class Refusal(Enum):
    """Why a reply is not begun yet. At the end of its turn it is begun in any case."""

    BUDGET = "budget"
    """Enough was begun, or thrown away, in this turn."""
    LOAD = "load"
    """Callers whose turns are over need the engines."""
    UNLIKELY = "unlikely"
    """The caller sounds as if they will go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeculationLimits:
    """What may be computed for replies that may be thrown away."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    max_per_turn: int = 3
    """Replies begun ahead of one turn's end; 0: none."""
    max_tokens_ahead: int = 32
    """Of a reply, before its turn is over: the first clause and some more, and most replies whole. The rest is generated
    while the first clause is spoken. On a GPU a token costs little beside others, but what is never generated costs nothing."""
    max_wasted_tokens: int = 96
    """Of a turn; what is thrown away after that was never begun."""
    max_wasted_audio_s: float = 6.0
    """Once so many seconds of a turn's speech were thrown away, its reply is begun when it is over. No reply has more than
    its first clause of it before."""
    min_probability: float = 0.3
    """From a turn's second reply on: none is begun while the end of the turn is less likely than this, and the last one
    waits until somebody has judged."""
    max_load: float = 0.75
    """Replies being computed for other callers, per line of the box: with as many, none is begun ahead of its turn's end."""
    max_wait_s: float = 0.25
    """Nor while somebody whose turn is over has been waiting for so long for the first sound of the answer: what a reply
    that nobody had begun takes on an idle GPU box. A CPU box takes longer, and should do one thing after the other."""

    def __post_init__(self) -> None:
        if self.max_per_turn < 0:
            raise ValueError("max_per_turn must be at least 0")
        if self.max_tokens_ahead < 1:
            raise ValueError("max_tokens_ahead must be at least 1")
        if not 0 <= self.min_probability <= 1:
            raise ValueError("min_probability must be between 0 and 1")


@dataclass(frozen=True, slots=True)
class Load:
    """How busy the box is."""

    computing: float
    """Replies being computed for other callers, per line."""
    longest_wait_s: float
    """Since the end of the turn whose answer has been awaited longest; 0 if nobody waits."""


class SpeculationPolicy:
    """Of one call."""

    def __init__(self, limits: SpeculationLimits, *, is_judged: bool) -> None:
        """`is_judged`: whether somebody gives probabilities for the end of a turn."""
        self._limits = limits
        self._is_judged = is_judged
        self._probability: float | None = None
        self._begun = 0
        self._wasted_tokens = 0
        self._wasted_audio_s = 0.0

    def went_on(self) -> None:
        """The caller has said more: what was judged before says nothing about this pause."""
        self._probability = None

    def judged(self, probability: float) -> None:
        """How likely the turn is over, given the pause so far."""
        self._probability = probability

    def refusal(self, load: Load) -> Refusal | None:
        """Why a reply may not be begun now; None if it may."""
        limits = self._limits
        if self._begun >= limits.max_per_turn or self._is_wasteful():
            return Refusal.BUDGET
        if load.computing >= limits.max_load or load.longest_wait_s >= limits.max_wait_s:
            return Refusal.LOAD
        if self._begun > 0 and self._is_unlikely():
            return Refusal.UNLIKELY
        return None

    def begun(self) -> None:
        """A reply was begun ahead of its turn's end."""
        self._begun += 1

    @property
    def tokens_ahead(self) -> int:
        """How much of a reply that is begun now may be generated before its turn is over."""
        return max(1, min(self._limits.max_tokens_ahead, self._limits.max_wasted_tokens - self._wasted_tokens))

    def wasted(self, tokens: int, audio_s: float) -> None:
        """So much of a reply was thrown away."""
        self._wasted_tokens += tokens
        self._wasted_audio_s += audio_s

    def turn_over(self) -> None:
        """The turn is being answered; the next one has a budget of its own."""
        self._probability = None
        self._begun = self._wasted_tokens = 0
        self._wasted_audio_s = 0.0

    def _is_wasteful(self) -> bool:
        limits = self._limits
        return self._wasted_tokens >= limits.max_wasted_tokens or self._wasted_audio_s >= limits.max_wasted_audio_s

    def _is_unlikely(self) -> bool:
        if self._probability is not None:
            return self._probability < self._limits.min_probability
        return self._is_judged and self._begun == self._limits.max_per_turn - 1
