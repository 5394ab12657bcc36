"""`make call`: a simulated caller calls the running box and reports how the call went.

    python -m scripts.call                                # books an appointment
    python -m scripts.call --dialogue questions --voice awb
    python -m scripts.call --list

Exit status 0: the dialogue reached its goal; 1: it did not; 2: no call could be made.
"""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from scripts.caller import goal
from scripts.caller.conversation import CallRecord, Conversation
from scripts.caller.dialogue import DIALOGUES, Dialogue, find_dialogue
from scripts.caller.report import table_of, transcript, turns_of, write_report
from scripts.caller.room import WEB, CallerRoom, ask_for_call, silence_media_log
from scripts.caller.voice import Voice, load_voice, voices
from scripts.command_line import console, exit_on_error, new_app, run_and_exit, warn
from scripts.figures import number, percentile

app = new_app()


async def call_once(dialogue: Dialogue, voice: Voice, *, web: str, ops: str) -> tuple[CallRecord, list[str]]:
    """One call to the box, and what is missing to its goal."""
    ticket = await ask_for_call(web)
    before = await goal.fetch_snapshot(ops) if goal.needs_snapshot(dialogue.goal) else {}
    async with CallerRoom(ticket) as call:
        record = await Conversation(call, voice, dialogue).hold(ticket.room)
    after = await goal.fetch_snapshot(ops) if goal.needs_snapshot(dialogue.goal) else {}
    return record, goal.unmet(dialogue.goal, before, after, record.agent_said)


def report(record: CallRecord, missing: list[str], folder: Path, title: str) -> None:
    """Print how the call went and write its folder."""
    turns = turns_of(record)
    write_report(record, turns, missing, folder)
    console.print(transcript(record, turns), markup=False, highlight=False, end="")
    console.print(table_of(turns, title))
    measured = [t.timing.voice_to_voice_ms for t in turns if t.timing.voice_to_voice_ms is not None]
    if measured:
        console.print(f"voice-to-voice, recorded: p50 {number(percentile(measured, 50))} ms over {len(measured)} turns")
    for problem in record.problems + missing:
        warn(problem)
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
    silence_media_log()
    reached = True
    with exit_on_error():
        script, speaker = find_dialogue(dialogue), load_voice(voice)
        for n in range(1, repeat + 1):
            record, missing = asyncio.run(call_once(script, speaker, web=web, ops=ops))
            folder = out if repeat == 1 else out / f"{n:02d}"
            report(record, missing, folder, f"{script.name}, voice {speaker.name}")
            reached = reached and not missing
    raise typer.Exit(0 if reached else 1)


if __name__ == "__main__":
    run_and_exit(app)
