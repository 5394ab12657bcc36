"""Figures of barge-in: how soon an interruption stops the agent, and what stops it for nothing. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scripts.bench.bargein.run import NEVER

GROUPS = ("backchannel", "throat", "thing", "recorded noise", "side talk", "echo")
"""Groups that must not stop the agent, in the order of the table."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one way of deciding did in one case."""

    group: str
    line: str
    name: str
    is_interruption: bool
    delay_s: float
    """From the onset to the decision to stop; NEVER without one."""


@dataclass(frozen=True, slots=True)
class Caught:
    """How soon interruptions stopped the agent."""

    count: int
    p50_s: float
    p95_s: float
    """Over all of them; one that never stopped the agent counts as NEVER."""
    within_300_ms: float
    within_500_ms: float
    ever: float


def caught(outcomes: Iterable[Outcome]) -> Caught:
    """Figures of the interruptions among the outcomes. Raises ValueError if there are none."""
    delays_s = np.array([outcome.delay_s for outcome in outcomes if outcome.is_interruption])
    if not len(delays_s):
        raise ValueError("no interruption among the outcomes")
    p50_s, p95_s = np.percentile(delays_s, (50, 95), method="inverted_cdf")  # delays that occurred: NEVER may be one
    return Caught(
        len(delays_s),
        p50_s=float(p50_s),
        p95_s=float(p95_s),
        within_300_ms=float(np.mean(delays_s <= 0.3)),
        within_500_ms=float(np.mean(delays_s <= 0.5)),
        ever=float(np.mean(delays_s < NEVER)),
    )


def false_stops(outcomes: Iterable[Outcome], group: str) -> tuple[int, int]:
    """How many cases of a group stopped the agent, and how many there are."""
    chosen = [outcome for outcome in outcomes if outcome.group == group]
    return sum(outcome.delay_s < NEVER for outcome in chosen), len(chosen)


def rows(ways: Mapping[str, Sequence[Outcome]]) -> list[list[str]]:
    """A table with one row for each way of deciding, after the header."""
    table = [["", "cases", "stop p50", "stop p95", "by 300 ms", "by 500 ms", "ever", *GROUPS]]
    for name, outcomes in ways.items():
        found = caught(outcomes)
        row = [name, f"{found.count}", _ms(found.p50_s), _ms(found.p95_s)]
        row += [f"{share:.1%}" for share in (found.within_300_ms, found.within_500_ms, found.ever)]
        for group in GROUPS:
            stopped, count = false_stops(outcomes, group)
            row.append(f"{stopped / count:.1%} of {count}" if count else "-")
        table.append(row)
    return table


def _ms(seconds: float) -> str:
    return "never" if seconds == NEVER else f"{seconds * 1e3:.0f} ms"
