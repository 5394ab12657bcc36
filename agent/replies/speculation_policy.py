"""Preemptive generation: whether a reply may start before its turn is known to be over. Pure: figures in, decision out."""

from dataclasses import dataclass
from typing import ClassVar

from agent.call.events import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeculationLimits:
    """How much may be computed for replies that may be thrown away."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    max_per_turn: int = 3
    """Replies that may start before the end of one turn; 0 turns preemptive generation off."""
    max_tokens_ahead: int = 32
    """Tokens that may be generated for one reply before its turn is over: enough for the first clause and a little more, and
    for most replies in full. The rest is generated while the first clause plays. On a GPU, a token batched with others costs
    little, but one that is never generated costs nothing."""
    max_wasted_tokens: int = 96
    """Tokens that may be thrown away in one turn; after that, its reply starts only when the turn is over."""
    max_wasted_audio_s: float = 6.0
    """Seconds of synthesized speech that may be thrown away in one turn; after that, its reply starts only when the turn is
    over. Until then, only the first clause of a reply is synthesized."""
    min_probability: float = 0.3
    """From a turn's second reply on, the end-of-turn probability needed to start one early. The last one allowed also waits
    until there is a probability."""
    max_load: float = 0.75
    """No reply starts early at this load: replies being computed for other callers, divided by the box's lines."""
    max_wait_s: float = 0.25
    """No reply starts early while a caller whose turn is over has been waiting this long for the first sound of the answer.
    The default is what a reply without an early start takes on an idle GPU box. A CPU box takes longer, and should do one
    thing at a time."""

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
    """Time since the end of the turn that has waited longest for its answer; 0 if none is waiting."""


class SpeculationPolicy:
    """Decides for one call, turn by turn."""

    def __init__(self, limits: SpeculationLimits, *, is_judged: bool) -> None:
        """`is_judged`: whether the call has a turn detector that gives end-of-turn probabilities."""
        self._limits = limits
        self._is_judged = is_judged
        self._probability: float | None = None
        self._begun = 0
        self._wasted_tokens = 0
        self._wasted_audio_s = 0.0

    def caller_continued(self) -> None:
        """The caller has said more, so the last probability does not apply to this pause."""
        self._probability = None

    def judged(self, probability: float) -> None:
        """The turn is over with this probability, given the pause so far."""
        self._probability = probability

    def refusal(self, load: Load) -> Refusal | None:
        """Why a reply may not start now; None if it may."""
        limits = self._limits
        if self._begun >= limits.max_per_turn or self._is_wasteful():
            return Refusal.BUDGET
        if load.computing >= limits.max_load or load.longest_wait_s >= limits.max_wait_s:
            return Refusal.LOAD
        if self._begun > 0 and self._is_unlikely():
            return Refusal.UNLIKELY
        return None

    def begun(self) -> None:
        """A reply was started before the end of its turn."""
        self._begun += 1

    @property
    def tokens_ahead(self) -> int:
        """How many tokens of a reply that starts now may be generated before its turn is over."""
        return max(1, min(self._limits.max_tokens_ahead, self._limits.max_wasted_tokens - self._wasted_tokens))

    def wasted(self, tokens: int, audio_s: float) -> None:
        """This much of a reply was thrown away."""
        self._wasted_tokens += tokens
        self._wasted_audio_s += audio_s

    def turn_over(self) -> None:
        """The turn is being answered; the next one starts with a fresh budget."""
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
