"""What a call leaves on disk."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from rich.console import Console

from scripts.caller.captions import Segment
from scripts.caller.clock import RATE
from scripts.caller.conversation import CallRecord
from scripts.caller.measure import TurnTiming
from scripts.caller.mouth import Kind, Utterance
from scripts.caller.report import pair, table_of, transcript, turns_of, write_report
from scripts.caller.room import TurnEvent
from scripts.caller.voice import Line
from serving.audio import Pcm16

pytestmark = pytest.mark.unit

FIGURES: dict[str, Any] = {
    "turn": 1,
    "voice_to_voice_ms": 380.0,
    "end_of_turn_delay_ms": 300.0,
    "transcription_delay_ms": 210.0,
    "llm_ttft_ms": 20.0,
    "tts_ttfb_ms": None,
    "preempted": True,
}


def tone(*stretches: tuple[float, float], length_s: float) -> Pcm16:
    samples = np.zeros(round(length_s * RATE), np.int16)
    for start_s, end_s in stretches:
        samples[round(start_s * RATE) : round(end_s * RATE)] = 4000
    return samples


def utterance(text: str, start_s: float, end_s: float, kind: Kind = Kind.LINE) -> Utterance:
    said = Utterance(Line(text, np.full(round((end_s - start_s) * RATE), 4000, np.int16)), kind)
    said.start_sample = round(start_s * RATE)
    return said


@pytest.fixture
def record() -> CallRecord:
    return CallRecord(
        room="call-1",
        caller=tone((2, 3), (6, 7), length_s=9),
        agent=tone((0.5, 1.5), (3.5, 5), (7.6, 8.5), length_s=8.7),
        utterances=[utterance("what are your hours", 2, 3), utterance("thank you", 6, 7)],
        segments=[
            Segment("g", "agent", 0.5, "Hello.", final=True),
            Segment("c", "me", 2.4, "what are your powers", final=True),
            Segment("r", "agent", 3.6, "We open at nine.", final=True),
        ],
        caller_identity="me",
        turns=[TurnEvent(5.2, FIGURES)],
        exchanges=[],
    )


def timing(agent_start_s: float | None) -> TurnTiming:
    return TurnTiming(0, 0, agent_start_s, None, None, 0, None)


def test_figures_go_to_the_turn_whose_answer_was_sounding_last() -> None:
    timings = [timing(3.0), timing(None), timing(9.0)]
    late, early = {"turn": 1}, {"turn": 2}
    assert pair(timings, [TurnEvent(8.0, late), TurnEvent(8.8, early)]) == [late, None, early]
    assert pair(timings, [TurnEvent(1.0, late)]) == [None, None, None]


def test_turns_are_measured_and_paired(record: CallRecord) -> None:
    first, second = turns_of(record)
    assert first.timing.voice_to_voice_ms == pytest.approx(500, abs=10)
    assert first.framework_ms == 380.0
    assert second.timing.voice_to_voice_ms == pytest.approx(600, abs=10)
    assert second.figures is None


def test_the_transcript_has_both_sides_and_what_the_agent_understood(record: CallRecord) -> None:
    assert transcript(record, turns_of(record)).splitlines() == [
        "   0.50 s  agent  Hello.",
        "   2.00 s  said   what are your hours",
        "   2.40 s  heard  what are your powers",
        "   3.60 s  agent  We open at nine.",
        "   6.00 s  said   thank you",
    ]
    assert record.agent_said == "Hello. We open at nine."


def test_the_folder_has_recording_transcript_figures_and_picture(record: CallRecord, tmp_path: Path) -> None:
    write_report(record, turns_of(record), ["nothing booked"], tmp_path)
    samples, rate = soundfile.read(tmp_path / "recording.flac", dtype="int16")
    assert rate == RATE
    assert samples.shape == (9 * RATE, 2)
    assert np.array_equal(samples[:, 0], record.caller)
    assert np.array_equal(samples[: len(record.agent), 1], record.agent)
    report = json.loads((tmp_path / "turns.json").read_text())
    assert report["goal_reached"] is False
    assert report["voice_to_voice_ms"] == {
        "p50": pytest.approx(550, abs=10),
        "p95": pytest.approx(595, abs=10),
        "n": 2,
    }
    assert report["turns"][0]["stages"]["end_of_turn_delay_ms"] == 300.0
    assert (tmp_path / "turns.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "transcript.txt").read_text().count("\n") == 5


def test_the_table_shows_recorded_beside_the_stages(record: CallRecord) -> None:
    console = Console(width=140, record=True, quiet=True)
    console.print(table_of(turns_of(record), "a call"))
    with console.capture() as shown:
        console.quiet = False
        console.print(table_of(turns_of(record), "a call"))
    row = next(line for line in shown.get().splitlines() if "what are your hours" in line)
    assert [cell.strip() for cell in row.strip("│").split("│")] == [
        "1", "what are your hours", "500", "380", "300", "210", "20", "–", "yes",
    ]  # fmt: skip


def test_a_call_in_which_nobody_spoke_still_has_a_report(tmp_path: Path) -> None:
    nothing = np.zeros(0, np.int16)
    silent = CallRecord(
        room="r", caller=nothing, agent=nothing, utterances=[], segments=[], caller_identity="me", turns=[], exchanges=[],
        problems=["no agent joined"],
    )  # fmt: skip
    write_report(silent, turns_of(silent), [], tmp_path)
    assert json.loads((tmp_path / "turns.json").read_text())["voice_to_voice_ms"]["p50"] is None
