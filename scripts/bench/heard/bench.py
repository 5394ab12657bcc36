"""Does the agent remember what the caller heard: `python -m scripts.bench.heard`.

Real calls over a media server of its own, the demo profile's voice, and replies cut at random: by the session, in the first
word, after a pause, around a tool call, and by the caller's own words. The words in the chat history are set against those in
the caller's recording, which is aligned with the reply by its sound alone.
"""

import asyncio
import contextlib
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from models.errors import CallboxError
from scripts.bench.heard.cuts import Kind, Plan, draw
from scripts.bench.heard.far import Distance, far_away
from scripts.bench.heard.figures import Judged, histogram, judge_call
from scripts.bench.heard.rig import running_rig
from scripts.caller.report import number, percentile

SHARES = {Kind.INTERRUPT: 0.25, Kind.FIRST_WORD: 0.2, Kind.PAUSE: 0.25, Kind.CALLER: 0.15, Kind.TOOL: 0.15}
console = Console(width=None if sys.stdout.isatty() else 132)
app = typer.Typer(pretty_exceptions_enable=False)


def plans(cuts: int, calls: int, seed: int) -> list[Plan]:
    """`cuts` cuts of every kind, shuffled and spread over calls."""
    random = np.random.default_rng(seed)
    counts = {kind: round(cuts * share) for kind, share in SHARES.items()}
    counts[Kind.INTERRUPT] += cuts - sum(counts.values())
    drawn = [cut for kind, count in counts.items() for cut in draw(count, kind, random)]
    order = random.permutation(len(drawn))
    return [Plan(cuts=tuple(drawn[at] for at in order[call::calls])) for call in range(calls)]


async def bench(drawn: Sequence[Plan], distance: Distance | None, out: Path) -> list[Judged]:
    """All calls, one after the other, by a caller at this distance or on the same machine. Raises CallboxError."""
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


def summary(judged: Sequence[Judged]) -> dict[str, Any]:
    """Every figure, ready for json.dump."""
    delays: dict[str, list[float | None]] = {
        "first sample leaves the worker -> is heard": [one.way_s for one in judged],
        "reply is cut -> last sound": [one.after_stop_s for one in judged],
        "heard beyond what the worker counts as played": [one.beyond_s for one in judged],
    }
    values = {name: [1000 * one for one in column if one is not None] for name, column in delays.items()}
    return {
        "machine": f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "replies": len(judged),
        "cut": sum(one.is_cut for one in judged),
        "errors": {str(kind): histogram([one for one in judged if one.kind is kind]) for kind in Kind},
        "all_errors": histogram(judged),
        "ms": {name: {"p50": percentile(v, 50), "p95": percentile(v, 95), "n": len(v)} for name, v in values.items()},
        "wrong": [
            {"kind": str(one.kind), "remembered": " ".join(one.remembered), "heard": " ".join(one.heard)}
            for one in judged
            if one.error
        ],
    }


def show(figures: dict[str, Any]) -> None:
    """Both tables."""
    table = Table("cut by", title=f"words remembered minus words heard; {figures['machine']}")
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


@app.command()
def main(
    cuts: Annotated[int, typer.Option(min=5, help="replies to cut")] = 100,
    calls: Annotated[int, typer.Option(min=1, help="calls they are spread over")] = 4,
    seed: Annotated[int, typer.Option(help="draws where they are cut")] = 0,
    delay_ms: Annotated[float, typer.Option(min=0, help="of every packet to and from the caller")] = 0.0,
    jitter_ms: Annotated[float, typer.Option(min=0, help="standard deviation of that delay")] = 0.0,
    lost: Annotated[float, typer.Option(min=0, max=0.5, help="share of those packets that get lost")] = 0.0,
    out: Annotated[Path, typer.Option(help="folder for the calls and the figures")] = Path("out/bench_heard"),
) -> None:
    """Set the words remembered against the words heard."""
    logging.getLogger("livekit").setLevel(logging.CRITICAL)
    out.mkdir(parents=True, exist_ok=True)
    for left in out.glob("heard-*"):
        left.unlink()
    distance = Distance(delay_ms / 1000, jitter_ms / 1000, lost) if delay_ms or jitter_ms or lost else None
    try:
        judged = asyncio.run(bench(plans(cuts, calls, seed), distance, out.resolve()))
    except CallboxError as error:
        console.print(f"[red]![/red] {error}", highlight=False)
        raise typer.Exit(2) from None
    figures = summary(judged)
    show(figures)
    (out / "heard.json").write_text(json.dumps(figures, indent=1) + "\n")
    raise typer.Exit(0 if set(figures["all_errors"]) <= {0, 1} else 1)
