"""How long callers' pauses last: the one public measurement of them, spread over callers and kinds.

eot-bench (LiveKit, 2026; English): of the silences of 0.2 s or more inside a turn, 0.556 still last at 0.3 s, 0.217 at 0.6 s, 0.10 at
1.0 s and 0.05 at 1.6 s. What lasts beyond 0.2 s is log-normal to within 0.01 of all four. The split of its variance between
callers, kinds of pauses and chance is ours: nobody has published one.
"""

import math
import random

SHORTEST_S = 0.2
_MEAN, _DEVIATION = -2.095, 1.477
"""Of the logarithm of the seconds beyond the shortest."""
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
"""How much longer than all; weighted by how often they occur they add up to about nothing."""
_KIND_DEVIATION = 0.25
_CHANCE_DEVIATION = math.sqrt(_DEVIATION**2 - _CALLER_DEVIATION**2 - _KIND_DEVIATION**2)


def draw_caller(rng: random.Random) -> float:
    """How slow a caller is: what their pauses have in common."""
    return rng.gauss(0.0, _CALLER_DEVIATION)


def draw_hold_s(rng: random.Random, caller: float, kind: str) -> float:
    """How long such a caller falls silent."""
    excess = rng.gauss(_MEAN + caller + _KINDS[kind], _CHANCE_DEVIATION)
    return SHORTEST_S + min(math.exp(excess), 6.0)


def still_silent(silence_s: float, caller: float, kind: str) -> float:
    """The share of such pauses that last longer than this."""
    if silence_s <= SHORTEST_S:
        return 1.0
    score = (math.log(silence_s - SHORTEST_S) - _MEAN - caller - _KINDS[kind]) / _CHANCE_DEVIATION
    return 0.5 * math.erfc(score / math.sqrt(2))


def draw_habits(rng: random.Random, caller: float) -> tuple[float, ...]:
    """The pauses such a caller has made before, oldest first: often none yet."""
    count = rng.choice((0, 0, 0, 1, 1, 2, 3, 4, 6, 10))
    kinds = tuple(_KINDS)
    return tuple(draw_hold_s(rng, caller, rng.choice(kinds)) for _ in range(count))
