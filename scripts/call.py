"""`make call`: a simulated caller calls the running box, and a folder says how it went.

    python -m scripts.call                                # books an appointment
    python -m scripts.call --dialogue questions --voice awb
    python -m scripts.call --list

Exit code 0: the dialogue reached its goal; 1: it did not; 2: no call could be made.
"""

import asyncio
import logging
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from models.errors import CallboxError
from scripts.caller import goal
from scripts.caller.conversation import CallRecord, Conversation
from scripts.caller.dialogue import DIALOGUES, Dialogue, find_dialogue
from scripts.caller.leaving import run_and_leave
from scripts.caller.report import percentile, table_of, transcript, turns_of, write_report
from scripts.caller.room import WEB, CallerRoom, ask_for_call
from scripts.caller.voice import Voice, load_voice, voices

console = Console(width=None if sys.stdout.isatty() else 132)
app = typer.Typer(pretty_exceptions_enable=False)


async def call_once(dialogue: Dialogue, voice: Voice, *, web: str, ops: str) -> tuple[CallRecord, list[str]]:
    """One call to the box, and what its goal still lacks."""
    ticket = await ask_for_call(web)
    before = await goal.fetch_snapshot(ops) if goal.needs_snapshot(dialogue.goal) else {}
    async with CallerRoom(ticket) as call:
        record = await Conversation(call, voice, dialogue).hold(ticket.room)
    after = await goal.fetch_snapshot(ops) if goal.needs_snapshot(dialogue.goal) else {}
    return record, goal.unmet(dialogue.goal, before, after, record.agent_said)


def tell(record: CallRecord, missing: list[str], folder: Path, title: str) -> None:
    """Print the call and write its folder."""
    turns = turns_of(record)
    write_report(record, turns, missing, folder)
    console.print(transcript(record, turns), markup=False, highlight=False, end="")
    console.print(table_of(turns, title))
    measured = [t.timing.voice_to_voice_ms for t in turns if t.timing.voice_to_voice_ms is not None]
    if measured:
        console.print(f"voice-to-voice, recorded: p50 {percentile(measured, 50):.0f} ms over {len(measured)} turns")
    for problem in record.problems + missing:
        console.print(f"[red]![/red] {problem}", highlight=False)
    verdict = "[red]goal not reached[/red]" if missing else "[green]goal reached[/green]"
    console.print(f"{verdict}; recording, transcript, turns.json and turns.png in {folder}")


@app.command()
def main(
    dialogue: Annotated[str, typer.Option(help="a name from --list, or a YAML file")] = "book",
    voice: Annotated[str, typer.Option(help="a name from --list")] = "rms",
    out: Annotated[Path, typer.Option(help="folder for the report")] = Path("out/call"),
    repeat: Annotated[int, typer.Option(min=1, help="calls one after another, each in a folder of its own")] = 1,
    web: Annotated[str, typer.Option(help="the box's web address")] = WEB,
    ops: Annotated[str, typer.Option(help="the worker's loopback endpoint")] = goal.OPS,
    show_list: Annotated[bool, typer.Option("--list", help="show dialogues and voices")] = False,
) -> None:
    """Call the running box as a simulated caller and report what was heard."""
    if show_list:
        console.print("dialogues:", ", ".join(sorted(path.stem for path in DIALOGUES.glob("*.yaml"))))
        console.print("voices:   ", ", ".join(voices()))
        return
    # The agent ends the call by closing the room; the client library takes every data channel that goes for an error.
    logging.getLogger("livekit").setLevel(logging.CRITICAL)
    reached = True
    try:
        script, speaker = find_dialogue(dialogue), load_voice(voice)
        for n in range(1, repeat + 1):
            record, missing = asyncio.run(call_once(script, speaker, web=web, ops=ops))
            folder = out if repeat == 1 else out / f"{n:02d}"
            tell(record, missing, folder, f"{script.name}, voice {speaker.name}")
            reached = reached and not missing
    except CallboxError as error:
        console.print(f"[red]![/red] {error}", highlight=False)
        raise typer.Exit(2) from None
    raise typer.Exit(0 if reached else 1)


if __name__ == "__main__":
    run_and_leave(app)
