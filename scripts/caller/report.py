"""Writes a call's report: the stereo recording, both transcripts, and each turn's latency as JSON and as a picture."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from rich.table import Table

from scripts.caller.clock import RATE
from scripts.caller.conversation import CallRecord
from scripts.caller.measure import Mark, TurnTiming, measure
from scripts.caller.mouth import Kind, Utterance
from scripts.caller.room import TurnEvent
from scripts.figures import number, summarize

EARLY_S = 0.5
"""A turn's figures may arrive this long before its sound reaches the caller."""
STAGES = {
    "end_of_turn_delay_ms": "end of turn",
    "transcription_delay_ms": "transcript",
    "llm_ttft_ms": "LLM",
    "tts_ttfb_ms": "TTS",
}
"""The stages' figures in tables, and their names there."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A line of the caller, its measured timing, and the stages' own figures."""

    number: int
    said: str
    kind: Kind
    timing: TurnTiming
    figures: dict[str, Any] | None
    """The stages' own figures; None if the agent sent none for this turn."""

    @property
    def framework_ms(self) -> float | None:
        """Voice-to-voice by the agent's framework, without the transport."""
        return self.figures.get("voice_to_voice_ms") if self.figures else None


def turns_of(record: CallRecord) -> list[Turn]:
    """All lines of the caller with their measurements, in order."""
    spoken = [u for u in record.utterances if u.end_sample is not None]
    timings = measure(record.caller, record.agent, [_mark(u) for u in spoken])
    figures = pair(timings, record.turns)
    return [
        Turn(n, utterance.line.text, utterance.kind, timing, own)
        for n, (utterance, timing, own) in enumerate(zip(spoken, timings, figures, strict=True), start=1)
    ]


def pair(timings: list[TurnTiming], events: list[TurnEvent]) -> list[dict[str, Any] | None]:
    """The figures of each turn: those that arrived after its answer began and before the next answer did."""
    starts = [(t.agent_start_s, i) for i, t in enumerate(timings) if t.agent_start_s is not None]
    found: list[dict[str, Any] | None] = [None] * len(timings)
    for event in events:
        begun = [i for start, i in starts if start <= event.at_s + EARLY_S]
        if begun:
            found[begun[-1]] = event.figures
    return found


def write_recording(record: CallRecord, path: Path) -> None:
    """Write FLAC at RATE: caller left, agent right, as long as the longer of the two."""
    both = np.zeros((max(len(record.caller), len(record.agent)), 2), np.int16)
    both[: len(record.caller), 0] = record.caller
    both[: len(record.agent), 1] = record.agent
    soundfile.write(path, both, RATE, subtype="PCM_16")


def transcript(record: CallRecord, turns: list[Turn]) -> str:
    """Who said what when; for the caller's lines both the words said and the words the agent understood."""
    rows = [(t.timing.caller_start_s, "said", t.said) for t in turns]
    for segment in record.segments:
        who = "heard" if segment.identity == record.caller_identity else "agent"
        rows.append((segment.began_s, who, segment.text.strip()))
    return "".join(f"{at_s:7.2f} s  {who:5}  {text}\n" for at_s, who, text in sorted(rows) if text)


def as_json(record: CallRecord, turns: list[Turn], missing: list[str]) -> dict[str, Any]:
    """The whole report, ready for json.dump."""
    measured = [t.timing.voice_to_voice_ms for t in turns if t.timing.voice_to_voice_ms is not None]
    return {
        "room": record.room,
        "goal_reached": not missing,
        "missing": missing,
        "problems": record.problems,
        "voice_to_voice_ms": summarize(measured),
        "turns": [
            {"turn": t.number, "said": t.said, "kind": t.kind} | _rounded(asdict(t.timing)) | {"stages": t.figures}
            for t in turns
        ],
    }


def write_report(record: CallRecord, turns: list[Turn], missing: list[str], folder: Path) -> None:
    """Write recording.flac, transcript.txt, turns.json and turns.png."""
    from scripts.caller.picture import draw_call

    folder.mkdir(parents=True, exist_ok=True)
    write_recording(record, folder / "recording.flac")
    (folder / "transcript.txt").write_text(transcript(record, turns))
    (folder / "turns.json").write_text(json.dumps(as_json(record, turns, missing), indent=1) + "\n")
    draw_call(record, turns, folder / "turns.png")


def table_of(turns: list[Turn], title: str) -> Table:
    """The latency of each turn by the recording, beside the stages' own figures, in milliseconds."""
    table = Table(
        title=title, caption="ms; recorded: last word of the caller to first sound of the agent", expand=False
    )
    over_agent = any(turn.timing.stopped_after_ms is not None or turn.kind is not Kind.LINE for turn in turns)
    extra = ("overlap", "stopped") if over_agent else ()
    for column in ("turn", "caller", "recorded", "framework", *STAGES.values(), "ahead", *extra):
        # in a narrow terminal the caller's words are wrapped, but not the figures
        if column == "caller":
            table.add_column(column, min_width=12, max_width=40)
        else:
            table.add_column(column, justify="right", no_wrap=True, min_width=len(column))
    for turn in turns:
        own = turn.figures or {}
        stages = [number(own.get(name)) for name in STAGES]
        ahead = "" if not own else ("yes" if own.get("preempted") else "no")
        recorded = f"[bold]{number(turn.timing.voice_to_voice_ms)}[/bold]"
        said = turn.said.replace("[", "\\[") + ("" if turn.kind is Kind.LINE else f" ({turn.kind.replace('_', '-')})")
        table.add_row(
            str(turn.number), said, recorded, number(turn.framework_ms), *stages, ahead,
            *((number(turn.timing.overlap_ms or None), number(turn.timing.stopped_after_ms)) if over_agent else ()),
        )  # fmt: skip
    return table


def _rounded(values: dict[str, float | None]) -> dict[str, float | None]:
    return {name: None if value is None else round(value, 3) for name, value in values.items()}


def _mark(utterance: Utterance) -> Mark:
    assert utterance.start_sample is not None
    assert utterance.end_sample is not None
    return Mark(utterance.start_sample, utterance.end_sample, utterance.kind is not Kind.BACKCHANNEL)
