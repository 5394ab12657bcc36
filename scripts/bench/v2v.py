"""Voice-to-voice over the real room: `python -m scripts.bench.v2v`.

A simulated caller asks for facts and books appointments until enough turns are answered. From the caller's recording:
last word of the caller to first sound of the agent, p50 and p95; beside it the framework's own figure, the stages, and
what the transport alone takes through the same server in the same run (a click to an echo participant and back).
Uses the box that runs; where none runs it starts one and stops it afterwards.
"""

import asyncio
import itertools
import json
import logging
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from agent.settings import load_keys
from models.errors import CallboxError
from scripts.call import call_once
from scripts.caller import goal
from scripts.caller.box import running_box
from scripts.caller.dialogue import find_dialogue
from scripts.caller.echo import measure_floor
from scripts.caller.leaving import run_and_leave
from scripts.caller.mouth import Kind
from scripts.caller.picture import draw_bench
from scripts.caller.report import STAGES, Turn, number, percentile, turns_of, write_report
from scripts.caller.room import WEB, Ticket, mint_ticket
from scripts.caller.voice import load_voice

DIALOGUES = ("questions", "book", "refill")
"""Called in turn."""
console = Console(width=None if sys.stdout.isatty() else 132)
app = typer.Typer(pretty_exceptions_enable=False)


async def measure_turns(turns: int, voices: list[str], out: Path, *, web: str, ops: str) -> tuple[list[Turn], int]:
    """Answered turns from as many calls as it takes, each call's report in a folder of `out`; and calls that failed."""
    found: list[Turn] = []
    failed = 0
    for n, name in enumerate(itertools.cycle(DIALOGUES)):
        if len(found) >= turns:
            break
        voice = load_voice(voices[n % len(voices)])
        record, missing = await call_once(find_dialogue(name), voice, web=web, ops=ops)
        call = turns_of(record)
        write_report(record, call, missing, out / f"{n + 1:02d}-{name}-{voice.name}")
        answered = [t for t in call if t.kind is Kind.LINE and t.timing.voice_to_voice_ms is not None]
        found += answered
        failed += bool(missing)
        reached = "goal reached" if not missing else f"goal not reached: {'; '.join(missing + record.problems)}"
        console.print(f"  {name}, voice {voice.name}: {len(answered)} turns, {reached}", highlight=False)
        if not answered and n >= len(DIALOGUES):
            break
    return found[:turns], failed


def summary(turns: list[Turn], floor_ms: list[float], failed: int) -> dict[str, Any]:
    """Every figure of the run, ready for json.dump. Milliseconds."""
    columns: dict[str, Sequence[float | None]] = {
        "recorded voice-to-voice": [t.timing.voice_to_voice_ms for t in turns],
        "framework's own figure": [t.framework_ms for t in turns],
        "recorded minus framework": [
            t.timing.voice_to_voice_ms - t.framework_ms
            for t in turns
            if t.framework_ms is not None and t.timing.voice_to_voice_ms is not None
        ],
        "transport floor, there and back": floor_ms,
    }
    columns |= {name: [(t.figures or {}).get(key) for t in turns] for key, name in STAGES.items()}
    rows = {name: [v for v in values if v is not None] for name, values in columns.items()}
    return {
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "turns": len(turns),
        "calls_without_goal": failed,
        "ms": {name: {"p50": percentile(v, 50), "p95": percentile(v, 95), "n": len(v)} for name, v in rows.items()},
        "values_ms": {name: [round(value, 1) for value in v] for name, v in rows.items()},
    }


def show(figures: dict[str, Any]) -> None:
    """The table."""
    title = f"voice-to-voice over the room, {figures['turns']} turns; {figures['machine']}"
    table = Table("ms", title=title)
    for column in ("p50", "p95", "n"):
        table.add_column(column, justify="right")
    for name, row in figures["ms"].items():
        table.add_row(name, number(row["p50"]), number(row["p95"]), str(row["n"]))
    console.print(table)


async def bench(turns: int, voices: list[str], out: Path, *, web: str, ops: str) -> dict[str, Any]:
    """The whole run against a box that is up."""
    keys = load_keys()
    room = f"echo-{os.getpid()}"

    def ticket_for(identity: str) -> Ticket:
        return mint_ticket(keys.livekit_url, keys.api_key, keys.api_secret, room=room, identity=identity)

    console.print("transport floor", highlight=False)
    floor_ms = await measure_floor(ticket_for)
    console.print("calls", highlight=False)
    found, failed = await measure_turns(turns, voices, out, web=web, ops=ops)
    return summary(found, floor_ms, failed)


@app.command()
def main(
    turns: Annotated[int, typer.Option(min=1, help="answered turns to measure")] = 20,
    voice: Annotated[list[str] | None, typer.Option(help="voices, called in turn")] = None,
    out: Annotated[Path, typer.Option(help="folder for the report")] = Path("out/bench_v2v"),
    web: Annotated[str, typer.Option(help="the box's web address")] = WEB,
    ops: Annotated[str, typer.Option(help="the worker's loopback endpoint")] = goal.OPS,
) -> None:
    """Measure voice-to-voice over the real room."""
    logging.getLogger("livekit").setLevel(logging.CRITICAL)  # it reports the end of every call as an error
    try:
        with running_box(web):
            figures = asyncio.run(bench(turns, voice or ["rms"], out, web=web, ops=ops))
    except CallboxError as error:
        console.print(f"[red]![/red] {error}", highlight=False)
        raise typer.Exit(2) from None
    show(figures)
    out.mkdir(parents=True, exist_ok=True)
    (out / "v2v.json").write_text(json.dumps(figures, indent=1) + "\n")
    draw_bench(figures, out / "v2v.png")
    console.print(f"v2v.json, v2v.png and a folder a call in {out}")
    raise typer.Exit(0 if figures["turns"] >= turns else 1)


if __name__ == "__main__":
    run_and_leave(app)
