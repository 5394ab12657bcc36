"""How long callers' pauses last: fitted to the one public measurement, and spread over callers and kinds of pause.

eot-bench (LiveKit, 2026; English): of the silences of 0.2 s or more inside a turn, 0.556 still last at 0.3 s, 0.217 at 0.6 s, 0.10 at
1.0 s and 0.05 at 1.6 s. A log-normal distribution of the time beyond 0.2 s fits all four to within 0.01. How its variance divides
between callers, kinds of pause and chance is our assumption: nobody has published figures.
"""

import math
import random

MIN_PAUSE_S = 0.2
_MEAN, _DEVIATION = -2.095, 1.477
"""Of the logarithm of the seconds beyond the shortest pause."""
_CALLER_DEVIATION = 0.6
_KINDS = {
    "hes": 0.15,
    "um": 0.55,
    "list": -0.3,
    "group": -0.2,
    "clause": -0.35,
    "name": -0.3,
    "date": -0.3,
    "fix": -0.1,
    "sent": -0.1,
}
"""Offset of each kind in the logarithm; weighted by frequency, they add up to about zero."""
_KIND_DEVIATION = 0.25
_CHANCE_DEVIATION = math.sqrt(_DEVIATION**2 - _CALLER_DEVIATION**2 - _KIND_DEVIATION**2)


def draw_caller(rng: random.Random) -> float:
    """How slow a caller is: the offset that all their pauses share."""
    return rng.gauss(0.0, _CALLER_DEVIATION)


def draw_hold_s(rng: random.Random, caller: float, kind: str) -> float:
    """How long such a caller pauses."""
    excess = rng.gauss(_MEAN + caller + _KINDS[kind], _CHANCE_DEVIATION)
    return MIN_PAUSE_S + min(math.exp(excess), 6.0)


def still_silent(silence_s: float, caller: float, kind: str) -> float:
    """Share of such pauses that last longer than this."""
    if silence_s <= MIN_PAUSE_S:
        return 1.0
    score = (math.log(silence_s - MIN_PAUSE_S) - _MEAN - caller - _KINDS[kind]) / _CHANCE_DEVIATION
    return 0.5 * math.erfc(score / math.sqrt(2))


def draw_habits(rng: random.Random, caller: float) -> tuple[float, ...]:
    """Earlier pauses of such a caller, oldest first; often none."""
    count = rng.choice((0, 0, 0, 1, 1, 2, 3, 4, 6, 10))
    kinds = tuple(_KINDS)
    return tuple(draw_hold_s(rng, caller, rng.choice(kinds)) for _ in range(count))
