"""Pictures of the end-of-turn bench: delay against cut-offs, and calibration."""

from pathlib import Path

import matplotlib as mpl

from scripts.bench.turns.metrics import Reliability, Sweep
from scripts.bench.turns.report import Fixed

mpl.use("Agg")
import matplotlib.pyplot as plt

SHOWN_DELAY_S = 2.0
SHOWN_CUT_OFFS = 0.6


def draw_trade_off(path: Path, swept: dict[str, Sweep], fixed: dict[str, Fixed]) -> None:
    """Draw each detector's best policies as a line and fixed policies as points."""
    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for name, found in swept.items():
        delays_s, cut_offs = found.frontier()
        axes.step(1e3 * delays_s, 100 * cut_offs, where="post", label=name)
    for name, row in fixed.items():
        axes.plot(1e3 * row.mean_s, 100 * row.cut_offs, "o", label=name)
    axes.set(xlim=(150, 1e3 * SHOWN_DELAY_S), ylim=(0, 100 * SHOWN_CUT_OFFS))
    axes.set(xlabel="mean delay after the turn's end, ms", ylabel="pauses cut off, %")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=130)
    plt.close(figure)


def draw_reliability(path: Path, found: dict[str, Reliability]) -> None:
    """Draw, for each length of silence, the share of turns that were over against the predicted probability."""
    figure, axes = plt.subplots(figsize=(4.8, 4.8), layout="constrained")
    axes.plot((0, 1), (0, 1), color="grey", linewidth=0.8)
    for name, one in found.items():
        axes.plot(one.predicted, one.observed, "o-", label=f"{name}, ECE {one.expected_error:.3f}")
    axes.set(xlabel="probability of an end", ylabel="share that was over", xlim=(0, 1), ylim=(0, 1))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=130)
    plt.close(figure)
