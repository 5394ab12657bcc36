"""What preemptive generation saves and wastes: `python -m scripts.bench.speculation`.

Callers who pause in the middle of their lines make the same calls to four boxes: one that begins replies before the end of
the turn, one that does so without a budget, one that never does, and one whose load keeps it from doing so. The worker's
counters give what became of the replies, and the tokens and seconds of speech used and wasted; the caller's recording gives
the time from last word to first sound. The boxes are started here, one after another; none may be running.
"""

import asyncio
import json
import os
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from prometheus_client.parser import text_string_to_metric_families
from rich.table import Table

from agent.settings import SITE, SITE_VARIABLE
from scripts.bench.machine import this_machine
from scripts.call import call_once
from scripts.caller import goal
from scripts.caller.box import is_answering, running_box
from scripts.caller.dialogue import find_dialogue
from scripts.caller.errors import CallerError
from scripts.caller.mouth import Kind
from scripts.caller.pausing import pausing_voice
from scripts.caller.report import turns_of
from scripts.caller.room import WEB, silence_media_log
from scripts.command_line import console, exit_on_error, new_app, run_and_exit, warn
from scripts.figures import number, percentile

DIALOGUES = ("questions", "book", "refill")
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "ahead": {},
    "without a budget": {
        "max_per_turn": 100,
        "max_tokens_ahead": 1_000_000,
        "max_wasted_tokens": 1_000_000,
        "max_wasted_audio_s": 1e6,
        "min_probability": 0.0,
    },
    "never ahead": {"max_per_turn": 0},
    "kept from it by load": {"max_load": 0.0},
}
"""Each box's settings under turns.speculation."""
PAUSES_S = (0.3, 0.5, 0.7)
COUNTED = {
    ("callbox_speculations_total", "adopted"): "adopted",
    ("callbox_speculations_total", "thrown_away"): "thrown away",
    ("callbox_speculations_put_off_total", "budget"): "put off: budget",
    ("callbox_speculations_put_off_total", "load"): "put off: load",
    ("callbox_speculations_put_off_total", "unlikely"): "put off: unlikely",
    ("callbox_reply_tokens_total", "useful"): "tokens, useful",
    ("callbox_reply_tokens_total", "wasted"): "tokens, wasted",
    ("callbox_reply_audio_seconds_total", "useful"): "speech s, useful",
    ("callbox_reply_audio_seconds_total", "wasted"): "speech s, wasted",
}
"""Samples of the worker's metrics, by name and label, and their names in the table."""
app = new_app()


@dataclass(frozen=True, slots=True)
class Result:
    """How one box did."""

    voice_to_voice_ms: list[float]
    lead_ms: list[float]
    """Of turns whose reply was begun before their end."""
    work: dict[str, float]
    """Counters, by their names in COUNTED."""
    problems: list[str]


@contextmanager
def site_with(speculation: Mapping[str, Any]) -> Iterator[None]:
    """A box started within this context has these settings of turns.speculation on top of the operator's own."""
    own = Path(os.environ.get(SITE_VARIABLE, SITE))
    settings = (yaml.safe_load(own.read_text()) if own.exists() else None) or {}
    turns = settings.setdefault("turns", {})
    turns["speculation"] = {**turns.get("speculation", {}), **speculation}
    before = os.environ.get(SITE_VARIABLE)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(settings, file)
        file.flush()
        os.environ[SITE_VARIABLE] = file.name
        try:
            yield
        finally:
            os.environ.pop(SITE_VARIABLE)
            if before is not None:
                os.environ[SITE_VARIABLE] = before


def fetch_work(ops: str) -> dict[str, float]:
    """The worker's counters."""
    with urllib.request.urlopen(f"{ops}/metrics", timeout=5) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    found = dict.fromkeys(COUNTED.values(), 0.0)
    for sample in (sample for family in families for sample in family.samples):
        for label in sample.labels.values():
            if (sample.name, label) in COUNTED:
                found[COUNTED[sample.name, label]] += sample.value
    return found


async def measure(calls: int, voice: str, *, web: str, ops: str) -> Result:
    """Make this many calls to the running box."""
    result = Result([], [], {}, [])
    before = fetch_work(ops)
    for n in range(calls):
        dialogue = find_dialogue(DIALOGUES[n % len(DIALOGUES)])
        record, missing = await call_once(dialogue, pausing_voice(voice, PAUSES_S), web=web, ops=ops)
        turns = [turn for turn in turns_of(record) if turn.kind is Kind.LINE]
        waits_ms = [turn.timing.voice_to_voice_ms for turn in turns]
        result.voice_to_voice_ms.extend(wait_ms for wait_ms in waits_ms if wait_ms is not None)
        leads_ms = [turn.figures.get("lead_time_ms") for turn in turns if turn.figures]
        result.lead_ms.extend(lead_ms for lead_ms in leads_ms if lead_ms is not None)
        result.problems.extend(record.problems + missing)
    result.work.update({name: value - before[name] for name, value in fetch_work(ops).items()})
    return result


def show(results: Mapping[str, Result]) -> None:
    """Print the table."""
    table = Table("", title=f"the same calls, pauses of {', '.join(f'{s:g}' for s in PAUSES_S)} s within lines")
    for name in results:
        table.add_column(name, justify="right")
    rows = {
        "answers": [str(len(r.voice_to_voice_ms)) for r in results.values()],
        "voice-to-voice p50, ms": [number(percentile(r.voice_to_voice_ms, 50)) for r in results.values()],
        "lead p50, ms": [number(percentile(r.lead_ms, 50)) for r in results.values()],
        **{name: [f"{r.work[name]:.0f}" for r in results.values()] for name in COUNTED.values()},
        "tokens wasted, share": [share(r.work, "tokens") for r in results.values()],
        "speech wasted, share": [share(r.work, "speech s") for r in results.values()],
    }
    for name, cells in rows.items():
        table.add_row(name, *cells)
    console.print(table)


def share(work: Mapping[str, float], what: str) -> str:
    """The wasted share, in per cent."""
    wasted, useful = work[f"{what}, wasted"], work[f"{what}, useful"]
    return f"{100 * wasted / (wasted + useful):.0f} %" if wasted + useful else "–"


@app.command()
def main(
    calls: Annotated[int, typer.Option(min=1, help="calls to each box")] = 3,
    voice: Annotated[str, typer.Option(help="who calls")] = "rms",
    profile: Annotated[str, typer.Option(help="the boxes' profile; empty: what this machine can run")] = "",
    out: Annotated[Path, typer.Option(help="folder for the figures")] = Path("out/bench_speculation"),
) -> None:
    """Measure what replies begun before the end of the turn save and waste."""
    silence_media_log()
    machine = this_machine().short
    results: dict[str, Result] = {}
    options = ("--profile", profile) if profile else ()
    with exit_on_error():
        if is_answering(WEB):
            raise CallerError(f"A box runs at {WEB}. Stop it: the bench starts its own, with settings of their own.")
        for name, speculation in VARIANTS.items():
            console.print(name, highlight=False)
            with site_with(speculation), running_box(WEB, *options):
                results[name] = asyncio.run(measure(calls, voice, web=WEB, ops=goal.OPS))
    show(results)
    out.mkdir(parents=True, exist_ok=True)
    figures = {"machine": machine, **{name: asdict(result) for name, result in results.items()}}
    (out / "speculation.json").write_text(json.dumps(figures, indent=1) + "\n")
    console.print(f"{machine}; speculation.json in {out}")
    for name, result in results.items():
        for problem in result.problems:
            warn(f"{name}: {problem}")


if __name__ == "__main__":
    run_and_exit(app)
