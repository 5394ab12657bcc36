"""How long callers pause within their turns: lengths distributed as in eot-bench's English recordings. Pure."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

SURVIVAL: tuple[tuple[float, float], ...] = (
    (0.2, 1.0),
    (0.3, 0.556),
    (0.6, 0.217),
    (1.0, 0.10),
    (1.6, 0.05),
    (3.0, 0.015),
    (5.0, 0.0),
)
"""Seconds, and the share of pauses that last longer. From 0.3 to 1.6 s these are the cut-off rates of eot-bench's silence-only
baseline (English report, 2026), which keeps pauses from 0.2 to 5 s. 3 s is interpolated."""
CALLER_WEIGHT = 0.6
"""How much of a pause's length is the caller's habit: the correlation of two pauses of one caller, as normal scores, is its
square."""

Lengths = npt.NDArray[np.float64]


def length_at(surviving: Lengths) -> Lengths:
    """The lengths in seconds that these shares of all pauses outlast: SURVIVAL inverted, linear between its points."""
    times, shares = zip(*SURVIVAL, strict=True)
    return np.asarray(np.interp(surviving, shares[::-1], times[::-1]))


def draw_holds(callers: Sequence[int], rng: np.random.Generator) -> Lengths:
    """A length in seconds for each pause, given the number of the caller who makes it.

    The ranks of the lengths are spread evenly, so that any number of pauses is distributed as in SURVIVAL; the caller decides
    which pauses are the long ones.
    """
    habits = {caller: rng.normal() for caller in sorted(set(callers))}
    scores = CALLER_WEIGHT * np.array([habits[caller] for caller in callers])
    scores += np.sqrt(1 - CALLER_WEIGHT**2) * rng.normal(size=len(callers))
    ranks = np.argsort(np.argsort(-scores))
    return length_at((ranks + 0.5) / len(callers))
