"""Voice-to-voice latency over a real room: `python -m scripts.bench.v2v`.

A simulated caller asks for facts and books appointments until enough turns are answered. Measured in the caller's
recording: from the caller's last word to the agent's first sound. Beside it stand the framework's own figure, the stages,
the transport alone (a click to an echo participant and back, through the same server), and the worker's processor time.
Calls the box that is running; if none is, starts one and stops it afterwards.
"""

import asyncio
import itertools
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from agent.settings import load_keys
from scripts.bench.machine import this_machine
from scripts.bench.worker_cpu import cpu_s, find_worker
from scripts.call import call_once
from scripts.caller import goal
from scripts.caller.box import running_box
from scripts.caller.clock import RATE
from scripts.caller.dialogue import find_dialogue
from scripts.caller.echo import measure_floor
from scripts.caller.mouth import Kind
from scripts.caller.picture import draw_bench
from scripts.caller.report import STAGES, Turn, turns_of, write_report
from scripts.caller.room import WEB, Ticket, mint_ticket, silence_media_log
from scripts.caller.voice import load_voice
from scripts.command_line import console, exit_on_error, new_app, run_and_exit
from scripts.figures import number, summarize

DIALOGUES = ("questions", "book", "refill")
"""Called in turn."""
app = new_app()


@dataclass(slots=True)
class Calls:
    """What a series of calls brought."""

    turns: list[Turn] = field(default_factory=list)
    """The answered ones."""
    cpu_s_per_s: list[float] = field(default_factory=list)
    """For each call, the worker's processor seconds per second of call; empty if the worker is on another machine."""
    missed_goals: int = 0


async def measure_calls(turns: int, voices: Sequence[str], out: Path, *, web: str, ops: str) -> Calls:
    """As many calls as it takes to get this many answered turns; each call's report goes into a folder of `out`."""
    found = Calls()
    for n, name in enumerate(itertools.cycle(DIALOGUES)):
        if len(found.turns) >= turns:
            break
        folder = out / f"{n + 1:02d}-{name}-{voices[n % len(voices)]}"
        answered = await _measure_call(found, name, voices[n % len(voices)], folder, web=web, ops=ops)
        if not answered and n >= len(DIALOGUES):
            break
    del found.turns[turns:]
    return found


async def _measure_call(found: Calls, dialogue: str, voice: str, folder: Path, *, web: str, ops: str) -> int:
    """One call, added to `found`; the number of its answered turns."""
    worker = find_worker(ops)
    before_s = cpu_s(worker) if worker else 0.0
    record, missing = await call_once(find_dialogue(dialogue), load_voice(voice), web=web, ops=ops)
    if worker:
        found.cpu_s_per_s.append((cpu_s(worker) - before_s) * RATE / len(record.caller))
    turns = turns_of(record)
    write_report(record, turns, missing, folder)
    answered = [t for t in turns if t.kind is Kind.LINE and t.timing.voice_to_voice_ms is not None]
    found.turns += answered
    found.missed_goals += bool(missing)
    outcome = f"goal not reached: {'; '.join(missing + record.problems)}" if missing else "goal reached"
    console.print(f"  {dialogue}, voice {voice}: {len(answered)} turns, {outcome}", highlight=False)
    return len(answered)


def summary(calls: Calls, floor_ms: Sequence[float], machine: str) -> dict[str, Any]:
    """Every figure of the run, ready for json.dump. Milliseconds, but for processor time."""
    turns = calls.turns
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
    cpu = calls.cpu_s_per_s
    return {
        "machine": machine,
        "turns": len(turns),
        "calls_without_goal": calls.missed_goals,
        "ms": {name: summarize(v) for name, v in rows.items()},
        "values_ms": {name: [round(value, 1) for value in v] for name, v in rows.items()},
        "worker_cpu_s_per_call_s": round(sum(cpu) / len(cpu), 4) if cpu else None,
        "values_worker_cpu_s_per_call_s": [round(value, 4) for value in cpu],
    }


def show(figures: dict[str, Any]) -> None:
    """Print the table and the worker's processor time."""
    console.print(figures["machine"], highlight=False)
    table = Table("ms", title=f"voice-to-voice, {figures['turns']} turns")
    for column in ("p50", "p95", "n"):
        table.add_column(column, justify="right")
    for name, row in figures["ms"].items():
        table.add_row(name, number(row["p50"]), number(row["p95"]), str(row["n"]))
    console.print(table)
    cpu = figures["values_worker_cpu_s_per_call_s"]
    if cpu:
        mean = figures["worker_cpu_s_per_call_s"]
        console.print(
            f"worker: {mean:.3f} CPU seconds per second of call (mean of {len(cpu)} calls, {min(cpu):.3f} to {max(cpu):.3f})",
            highlight=False,
        )


async def bench(turns: int, voices: Sequence[str], out: Path, *, web: str, ops: str) -> dict[str, Any]:
    """The whole run against a box that is up."""
    keys, machine = load_keys(), this_machine().short
    room = f"echo-{os.getpid()}"

    def ticket_for(identity: str) -> Ticket:
        return mint_ticket(keys.livekit_url, keys.api_key, keys.api_secret, room=room, identity=identity)

    console.print("transport floor", highlight=False)
    floor_ms = await measure_floor(ticket_for)
    console.print("calls", highlight=False)
    return summary(await measure_calls(turns, voices, out, web=web, ops=ops), floor_ms, machine)


@app.command()
def main(
    turns: Annotated[int, typer.Option(min=1, help="answered turns to measure")] = 20,
    voice: Annotated[list[str] | None, typer.Option(help="voices, called in turn")] = None,
    out: Annotated[Path, typer.Option(help="folder for the report")] = Path("out/bench_v2v"),
    web: Annotated[str, typer.Option(help="the box's web address")] = WEB,
    ops: Annotated[str, typer.Option(help="the worker's loopback endpoint")] = goal.OPS,
) -> None:
    """Measure voice-to-voice latency over a real room. Status 1 if fewer turns were answered."""
    silence_media_log()
    with exit_on_error(), running_box(web):
        figures = asyncio.run(bench(turns, voice or ["rms"], out, web=web, ops=ops))
    show(figures)
    out.mkdir(parents=True, exist_ok=True)
    (out / "v2v.json").write_text(json.dumps(figures, indent=1) + "\n")
    draw_bench(figures, out / "v2v.png")
    console.print(f"v2v.json, v2v.png and a folder for each call are in {out}")
    raise typer.Exit(0 if figures["turns"] >= turns else 1)


if __name__ == "__main__":
    run_and_exit(app)
