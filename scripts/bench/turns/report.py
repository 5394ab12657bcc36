"""Results of the end-of-turn bench, as tables and as JSON."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from scripts.bench.turns.metrics import CUT_OFF_BUDGETS, DELAY_BUDGETS_S, Silence, Sweep, sweep


@dataclass(frozen=True, slots=True)
class Judged:
    """One silence: what is known of it, and what each detector said."""

    groups: dict[str, str]
    """Keys to group by: voice, line, kind ("end" for ends), ..."""
    length_s: float
    """Infinite for an end."""
    scores: dict[str, tuple[float, ...]]
    """By detector."""

    def silence(self, detector: str) -> Silence:
        """The silence as that detector saw it."""
        return Silence(self.length_s, self.scores[detector])


@dataclass(frozen=True, slots=True)
class Policy:
    """A fixed rule: when it ends a turn, given the scores of a silence."""

    name: str
    detector: str
    end_s: Callable[[Sequence[float]], float]


@dataclass(frozen=True, slots=True)
class Fixed:
    """A policy's figures."""

    cut_offs: float
    mean_s: float
    median_s: float
    p95_s: float


def fixed(policy: Policy, judged: Iterable[Judged]) -> Fixed:
    """A policy's figures on these silences."""
    silences = [one.silence(policy.detector) for one in judged]
    ends = np.array([policy.end_s(silence.scores) for silence in silences])
    ended = np.array([silence.ended for silence in silences])
    lengths = np.array([silence.length_s for silence in silences])
    delays = ends[ended]
    return Fixed(
        float(np.mean(lengths[~ended] > ends[~ended])),
        float(delays.mean()),
        float(np.median(delays)),
        float(np.quantile(delays, 0.95)),
    )


def sweeps(judged: Sequence[Judged], detectors: Sequence[str]) -> dict[str, Sweep]:
    """Try the grid of policies for each detector on the same silences."""
    return {name: sweep([one.silence(name) for one in judged]) for name in detectors}


def figures(swept: Sweep) -> dict[str, float]:
    """The four figures of the measure."""
    delays = {f"delay_s_at_{round(budget * 100)}_percent": swept.delay_at(budget) for budget in CUT_OFF_BUDGETS}
    cut_offs = {f"cut_offs_at_{round(budget * 1000)}_ms": swept.cut_offs_at(budget) for budget in DELAY_BUDGETS_S}
    return {**delays, **cut_offs}


def print_sweeps(title: str, judged: Sequence[Judged], swept: dict[str, Sweep], cpu_ms: dict[str, float]) -> None:
    """Print the main table."""
    pauses = sum(np.isfinite(one.length_s) for one in judged)
    table = Table(title=f"{title}: {pauses} pauses, {len(judged) - pauses} ends", title_justify="left")
    columns = (
        "detector",
        "delay at 5 % cut-offs",
        "at 10 %",
        "cut-offs at 300 ms",
        "at 600 ms",
        "CPU ms per judgement",
    )
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    for name, found in swept.items():
        at = figures(found)
        delays = (f"{1e3 * at[key]:.0f} ms" for key in ("delay_s_at_5_percent", "delay_s_at_10_percent"))
        cut_offs = (_share(at[key]) for key in ("cut_offs_at_300_ms", "cut_offs_at_600_ms"))
        table.add_row(name, *delays, *cut_offs, f"{cpu_ms[name]:.1f}" if cpu_ms.get(name) else "-")
    Console(width=120).print(table)


def print_fixed(title: str, rows: dict[str, Fixed]) -> None:
    """Print the fixed policies."""
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(("policy", "cut-offs", "mean delay", "p50", "p95")):
        table.add_column(column, justify="right" if number else "left")
    for name, row in rows.items():
        delays = (f"{1e3 * value:.0f} ms" for value in (row.mean_s, row.median_s, row.p95_s))
        table.add_row(name, _share(row.cut_offs), *delays)
    Console(width=120).print(table)


def print_groups(judged: Sequence[Judged], detectors: Sequence[str], key: str) -> dict[str, Any]:
    """Print delay at 10 % and cut-offs at 300 ms by group; pauses of each kind are compared with all ends."""
    table = Table(title=f"by {key}: delay at 10 % cut-offs, cut-offs at 300 ms", title_justify="left")
    table.add_column(key)
    table.add_column("pauses", justify="right")
    for name in detectors:
        table.add_column(name, justify="right")
    found: dict[str, Any] = {}
    for group in sorted({one.groups[key] for one in judged} - {"end"}):
        chosen = [one for one in judged if one.groups[key] in (group, "end")]
        at = {name: figures(swept) for name, swept in sweeps(chosen, detectors).items()}
        cells = (
            f"{1e3 * row['delay_s_at_10_percent']:.0f} ms {_share(row['cut_offs_at_300_ms'])}" for row in at.values()
        )
        table.add_row(group, str(sum(np.isfinite(one.length_s) for one in chosen)), *cells)
        found[group] = at
    Console(width=120).print(table)
    return found


def _share(value: float) -> str:
    return "-" if np.isnan(value) else f"{100 * value:.1f} %"
