"""Calls whose replies are cut off, and the words remembered against the words heard."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from scripts.bench.heard.cuts import Kind, Plan, draw
from scripts.bench.heard.far import Distance, far_away
from scripts.bench.heard.figures import Judged, histogram, judge_call
from scripts.bench.heard.rig import running_rig
from scripts.command_line import console
from scripts.figures import number, summarize

SHARES = {Kind.INTERRUPT: 0.25, Kind.FIRST_WORD: 0.2, Kind.PAUSE: 0.25, Kind.CALLER: 0.15, Kind.TOOL: 0.15}


def plans(cuts: int, calls: int, seed: int) -> list[Plan]:
    """This many cuts of all kinds, shuffled and spread over the calls."""
    random = np.random.default_rng(seed)
    counts = {kind: round(cuts * share) for kind, share in SHARES.items()}
    counts[Kind.INTERRUPT] += cuts - sum(counts.values())
    drawn = [cut for kind, count in counts.items() for cut in draw(count, kind, random)]
    order = random.permutation(len(drawn))
    return [Plan(cuts=tuple(drawn[at] for at in order[call::calls])) for call in range(calls)]


async def bench(drawn: Sequence[Plan], distance: Distance | None, out: Path) -> list[Judged]:
    """All calls, one after another, from this distance or, for None, from the same machine. Raises CallboxError."""
    judged: list[Judged] = []
    async with contextlib.AsyncExitStack() as running:
        rig = running.enter_context(running_rig(out))
        url = rig.keys.livekit_url
        if distance is not None:
            url = await running.enter_async_context(far_away(distance, url, rig.media_port))
        for at, plan in enumerate(drawn):
            heard = await rig.hold(f"heard-{at + 1}", plan, url=url)
            judged += judge_call(heard.entries, heard.recording, heard.origin_s)
            console.print(
                f"  call {at + 1}: {len(plan.cuts)} replies, errors so far {histogram(judged)}", highlight=False
            )
    return judged


def summary(judged: Sequence[Judged], machine: str) -> dict[str, Any]:
    """Every figure, ready for json.dump."""
    delays: dict[str, list[float | None]] = {
        "first sample leaves the worker -> is heard": [one.way_s for one in judged],
        "reply is cut -> last sound": [one.after_stop_s for one in judged],
        "heard beyond what the worker counts as played": [one.beyond_s for one in judged],
    }
    values = {name: [1000 * one for one in column if one is not None] for name, column in delays.items()}
    return {
        "machine": machine,
        "replies": len(judged),
        "cut": sum(one.is_cut for one in judged),
        "errors": {str(kind): histogram([one for one in judged if one.kind is kind]) for kind in Kind},
        "all_errors": histogram(judged),
        "ms": {name: summarize(v) for name, v in values.items()},
        "wrong": [
            {"kind": str(one.kind), "remembered": " ".join(one.remembered), "heard": " ".join(one.heard)}
            for one in judged
            if one.error
        ],
    }


def show(figures: dict[str, Any]) -> None:
    """Print both tables."""
    console.print(figures["machine"], highlight=False)
    table = Table("cut by", title="words remembered minus words heard", title_justify="left")
    errors = sorted(figures["all_errors"])
    for error in errors:
        table.add_column(f"{error:+d}" if error else "0", justify="right")
    for name, row in [*figures["errors"].items(), ("all", figures["all_errors"])]:
        table.add_row(name, *(str(row.get(error, 0)) for error in errors))
    console.print(table)
    delays = Table("ms", "p50", "p95", "n")
    for name, row in figures["ms"].items():
        delays.add_row(name, number(row["p50"]), number(row["p95"]), str(row["n"]))
    console.print(delays)
