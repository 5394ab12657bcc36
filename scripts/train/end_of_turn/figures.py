"""How well ends of turns are told from pauses, in eot-bench's figures (LiveKit, 2026).

Pauses of 0.2 to 5 s and ends are judged every 0.1 s of silence. A policy is a threshold, a minimum delay and a maximum delay.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from scripts.train.end_of_turn.heard import TIMES_S

GRID_DELAY_S = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
GRID_TIMEOUT_S = (1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 3.0, 3.5)
Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """What a detector made of some takes."""

    scores: Scores
    """(takes, times)."""
    ended: NDArray[np.bool_]
    hold_s: Scores


def report(title: str, found: Judged) -> None:
    """Print one line."""
    points = sweep(found)
    delays = [min(d for d, c in points if c <= share) for share in (0.05, 0.1)]
    cuts = [min((c for d, c in points if d <= budget), default=1.0) for budget in (0.3, 0.6)]
    at = TIMES_S.index(0.2)
    figures = f"delay at 5 % {delays[0] * 1e3:4.0f} ms, at 10 % {delays[1] * 1e3:4.0f} ms; cut-offs at 300 ms {cuts[0]:5.1%}, at 600 ms {cuts[1]:5.1%}"
    print(
        f"  {title:26} {figures}; AUC at 0.2 s {auc(found.scores[:, at], found.ended):.3f}; {reliability(found)}",
        flush=True,
    )


def sweep(found: Judged) -> list[tuple[float, float]]:
    """Mean delay (s) and share of pauses cut off, for every policy of eot-bench's grid."""
    holds = ~found.ended & (found.hold_s >= 0.2) & (found.hold_s <= 5.0)
    times = np.array(TIMES_S)
    points = []
    for threshold in np.arange(0.0, 1.001, 0.01):
        over = found.scores > threshold
        first = np.where(over.any(1), times[over.argmax(1)], np.inf)
        for delay in GRID_DELAY_S:
            fire = np.maximum(first, delay)
            for timeout in GRID_TIMEOUT_S:
                ends = np.minimum(fire, timeout)
                points.append((float(ends[found.ended].mean()), float((found.hold_s > ends)[holds].mean())))
    return points


def auc(scores: NDArray[Any], ended: NDArray[np.bool_]) -> float:
    """Probability that an end scores higher than a pause; ties count half."""
    ends, pauses = scores[ended], scores[~ended]
    return float(mannwhitneyu(ends, pauses).statistic / (len(ends) * len(pauses)))


def reliability(found: Judged) -> str:
    """The expected calibration error in ten bins, over all times at which the silences still last."""
    lasting = found.ended[:, None] | (found.hold_s[:, None] > np.array(TIMES_S)[None])
    scores, truth = found.scores[lasting], np.repeat(found.ended[:, None], len(TIMES_S), 1)[lasting]
    bins = np.minimum((scores * 10).astype(int), 9)
    error = sum(
        abs(scores[bins == b].mean() - truth[bins == b].mean()) * (bins == b).mean()
        for b in range(10)
        if (bins == b).any()
    )
    return f"calibration error {error:.3f}"
