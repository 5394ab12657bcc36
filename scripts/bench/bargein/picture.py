"""The trade-off of barge-in: backchannels that stop the agent against interruptions that stop it in time."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

from scripts.bench.bargein.figures import Outcome, caught, false_stops

Point = tuple[float, float]
COLOURS = {"clean": "#33658a", "telephone": "#c1666b"}
GREY = "#555555"


def point(outcomes: Sequence[Outcome]) -> Point:
    """False stops on backchannels and recall at 500 ms, in percent. Raises ValueError if either kind of case is missing."""
    stopped, count = false_stops(outcomes, "backchannel")
    if not count:
        raise ValueError("no backchannel among the outcomes")
    return 100 * stopped / count, 100 * caught(outcomes).within_500_ms


def draw(curves: Mapping[str, Sequence[Point]], marks: Mapping[str, tuple[str, Point]], title: str, path: Path) -> None:
    """Write a PNG: a curve over the threshold for each line, and a mark (line and point) for each way of deciding."""
    figure, axes = plt.subplots(figsize=(7.5, 5), layout="constrained")
    for line, points in curves.items():
        axes.plot(*zip(*points, strict=True), color=COLOURS[line], label=f"ours, {line}, over the threshold")
    for number, (name, (line, (x, y))) in enumerate(marks.items()):
        axes.plot([x], [y], marker="os^Dv"[number % 5], linestyle="", color=COLOURS[line], markersize=8, label=name)
    axes.axhline(98, color=GREY, linestyle=":", linewidth=1)
    axes.axvline(5, color=GREY, linestyle=":", linewidth=1)
    axes.set(
        xlim=(-1, 101),
        ylim=(-2, 102),
        xlabel="backchannels that stop the agent, %",
        ylabel="interruptions caught within 500 ms of their onset, %",
    )
    axes.set_title(f"{title}; dotted: the target", fontsize=10)
    axes.legend(frameon=False, fontsize=8, loc="center right")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    plt.close(figure)
