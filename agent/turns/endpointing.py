"""How much silence ends a turn: the surer the end-of-turn engine, the less. Pure: judgements in, a delay out.

At every moment of a silence, answering costs a cut-off if the caller was about to go on, and waiting costs delay if they were
not. Waiting a little longer pays off as long as

    (1 - p) * hazard * cost of a cut-off > p * cost of delay,

where p is the probability that the turn is over given the silence so far, and the hazard is the rate at which callers who
will go on do so. So the odds p / (1 - p) to ask for are proportional to the hazard, which falls as a silence lasts. Of the
pauses in LiveKit's eot-bench (English, 2026) 0.556, 0.217, 0.10 and 0.05 still last at 0.3, 0.6, 1.0 and 1.6 s: the hazard is
5.9, 3.1, 1.9 and 1.2 a second in between, which is 1.5 / silence to within 6 %. Hence odds that fall as a power of the
silence, 1 by default; with power 0 there is one threshold for all silences, the policy that eot-bench sweeps.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

ROUNDING_S = 1e-6
"""Times are sums of floats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointingOptions:
    """When a turn is over. Delays count from the caller's last sound."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    min_delay_s: float = 0.3
    """No turn ends before this, however sure the engine is."""
    max_delay_s: float = 2.0
    """Every turn ends by then, however unsure the engine is. Longer pauses are cut into: 3.5 % of those in eot-bench."""
    threshold_at_1s: float = 0.35
    """End-of-turn probability that ends a turn after one second of silence."""
    decline: float = 1.0
    """The odds behind the threshold fall with this power of the silence. 0 keeps the threshold constant."""
    unjudged_delay_s: float = 1.0
    """Silence that ends a turn which no engine has judged. Longer than min_delay_s, because silence alone cuts into many
    pauses."""
    judge_every_s: float = 0.1
    """Silence between two judgements while the turn is still open. A value above max_delay_s gives one judgement a pause, for
    a model that was not trained on longer silences."""
    judges_words: bool = True
    """Whether the model also takes words: then it is asked once the words before the pause are in. A model that takes sound
    only is asked at once."""

    def __post_init__(self) -> None:
        """Raises ValueError, naming the option."""
        if not 0 <= self.min_delay_s <= self.max_delay_s:
            raise ValueError("min_delay_s must be at least 0, and max_delay_s no less than min_delay_s")
        if not 0 < self.threshold_at_1s < 1:
            raise ValueError("threshold_at_1s must be between 0 and 1")
        if self.decline < 0 or self.unjudged_delay_s < 0:
            raise ValueError("decline and unjudged_delay_s must not be negative")
        if self.judge_every_s <= 0:
            raise ValueError("judge_every_s must be positive")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the engine said about a silence."""

    silence_s: float
    """How long the silence had lasted."""
    probability: float
    """That the turn is over."""


def threshold(options: EndpointingOptions, silence_s: float) -> float:
    """The probability from which a turn counts as over after so much silence (more than 0), delays apart."""
    odds = _odds(options.threshold_at_1s) * math.pow(silence_s, -options.decline)
    return odds / (1 + odds)


def delay_s(options: EndpointingOptions, probability: float | None) -> float:
    """The silence that ends a turn if its probability stays at this; None: it has not been judged.

    Never longer for a higher probability, always between the two delays of `options`.
    """
    if probability is None:
        wanted_s = options.unjudged_delay_s
    elif probability <= 0:
        wanted_s = math.inf
    elif probability >= 1:
        wanted_s = 0.0
    else:
        wanted_s = _reaches_s(options, _odds(probability))
    return min(max(wanted_s, options.min_delay_s), options.max_delay_s)


def next_judgement_s(options: EndpointingOptions, last: Judgement) -> float | None:
    """The silence at which to judge again, or None if the turn is over before that, unless the caller goes on."""
    again_s = last.silence_s + options.judge_every_s
    return None if delay_s(options, last.probability) <= again_s + ROUNDING_S else again_s


def turn_end_s(options: EndpointingOptions, judgements: Iterable[Judgement]) -> float:
    """The silence at which the turn ends if the caller says no more, given its judgements in order.

    Each that comes when one is asked for holds until the next; what the agent would not have asked for is passed over.
    """
    end_s, due_s = delay_s(options, None), 0.0
    for judgement in judgements:
        if judgement.silence_s >= end_s:
            break
        if judgement.silence_s + ROUNDING_S < due_s:
            continue
        end_s = max(judgement.silence_s, delay_s(options, judgement.probability))
        due_s = next_judgement_s(options, judgement) or math.inf
    return end_s


def _odds(probability: float) -> float:
    return probability / (1 - probability)


def _reaches_s(options: EndpointingOptions, odds: float) -> float:
    """The silence at which the required odds have fallen to `odds`."""
    asked = _odds(options.threshold_at_1s)
    if options.decline == 0:
        return 0.0 if odds >= asked else math.inf
    # in logarithms, which do not overflow
    exponent = math.log(asked / odds) / options.decline
    return math.exp(exponent) if exponent < 100 else math.inf
