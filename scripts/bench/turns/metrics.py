"""How good an end-of-turn detector is: how soon turns end against how many pauses are taken for ends. Pure.

The measure of LiveKit's eot-bench. A policy is a threshold, a minimum delay and a timeout. A silence ends the turn at the minimum
delay or when the probability first exceeds the threshold, whichever is later, and no later than the timeout. A pause within a turn
that lasts longer than that is a cut-off. Computing time does not count.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

THRESHOLDS = np.arange(0.0, 1.0, 0.01)
MIN_DELAYS_S = np.arange(2, 11) / 10
TIMEOUTS_S = np.arange(10, 36) / 10
SCORE_EVERY_S = 0.1
CUT_OFF_BUDGETS = (0.05, 0.10)
DELAY_BUDGETS_S = (0.3, 0.6)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Silence:
    """One silence as a detector saw it."""

    length_s: float
    """Length of a pause; infinite if the turn was over."""
    scores: tuple[float, ...]
    """Probability of an end after 0.1, 0.2, 0.3 ... s of silence."""

    @property
    def ended(self) -> bool:
        """Whether the turn was over."""
        return bool(np.isinf(self.length_s))


@dataclass(frozen=True, slots=True)
class Sweep:
    """Every policy of the grid on the same silences: cut-off rates (0 to 1) and mean delays (s), both of shape (policies,)."""

    cut_offs: Floats
    delays_s: Floats

    def delay_at(self, cut_offs: float) -> float:
        """The shortest mean delay of policies that cut off at most this share of pauses; NaN if there is none."""
        return _minimum(self.delays_s[self.cut_offs <= cut_offs + 1e-9])

    def cut_offs_at(self, delay_s: float) -> float:
        """The lowest cut-off rate of policies whose mean delay is at most this long; NaN if there is none."""
        return _minimum(self.cut_offs[self.delays_s <= delay_s + 1e-9])

    def frontier(self) -> tuple[Floats, Floats]:
        """Mean delays and cut-off rates of the policies that no other beats in both, fastest first."""
        order = np.lexsort((self.cut_offs, self.delays_s))
        lowest = np.minimum.accumulate(self.cut_offs[order])
        kept = np.concatenate([[True], lowest[1:] < lowest[:-1]])
        return self.delays_s[order][kept], self.cut_offs[order][kept]


def sweep(silences: Sequence[Silence]) -> Sweep:
    """Try every policy of the grid. Needs at least one pause and one end."""
    ended = np.array([silence.ended for silence in silences])
    lengths = np.array([silence.length_s for silence in silences])[~ended]
    cut_offs, delays = [], []
    for threshold in THRESHOLDS:
        crossed = np.array([crossing_s(silence.scores, threshold) for silence in silences])
        fired = np.maximum(crossed[:, None], MIN_DELAYS_S[None, :])
        ends = np.minimum(fired[:, :, None], TIMEOUTS_S[None, None, :])
        cut_offs.append(np.mean(lengths[:, None, None] > ends[~ended], axis=0).ravel())
        delays.append(np.mean(ends[ended], axis=0).ravel())
    return Sweep(np.concatenate(cut_offs), np.concatenate(delays))


def crossing_s(scores: Sequence[float], threshold: float) -> float:
    """The length of silence at which the probability first exceeds the threshold; infinite if it never does."""
    for number, score in enumerate(scores, start=1):
        if score > threshold:
            return number * SCORE_EVERY_S
    return float(np.inf)


@dataclass(frozen=True, slots=True)
class Reliability:
    """How well probabilities are calibrated, in bins of equal width; empty bins are left out."""

    counts: tuple[int, ...]
    predicted: tuple[float, ...]
    """Mean probability."""
    observed: tuple[float, ...]
    """Share of turns that were over."""

    @property
    def expected_error(self) -> float:
        """Expected calibration error, 0 to 1: the mean of |predicted - observed| over all judgements."""
        gaps = np.abs(np.array(self.predicted) - np.array(self.observed))
        return float(np.average(gaps, weights=self.counts))


def reliability(silences: Sequence[Silence], after_s: float, bins: int = 10) -> Reliability:
    """Calibration of the judgements after this much silence, over the silences that last that long."""
    place = round(after_s / SCORE_EVERY_S) - 1
    judged = [(silence.scores[place], silence.ended) for silence in silences if len(silence.scores) > place]
    scores, truth = np.array([score for score, _ in judged]), np.array([ended for _, ended in judged])
    chosen = np.minimum((scores * bins).astype(int), bins - 1)
    filled = sorted(set(chosen.tolist()))
    return Reliability(
        tuple(int(np.sum(chosen == number)) for number in filled),
        tuple(float(np.mean(scores[chosen == number])) for number in filled),
        tuple(float(np.mean(truth[chosen == number])) for number in filled),
    )


def _minimum(values: Floats) -> float:
    return float(values.min()) if len(values) else float("nan")
