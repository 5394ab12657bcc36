"""Words remembered against words heard."""

import numpy as np
import pytest

from agent.replies.heard import Run
from scripts.bench.heard.bench import plans, summary
from scripts.bench.heard.cuts import Cut, Kind
from scripts.bench.heard.figures import ROOM_RATE, Judged, histogram, judge_call
from scripts.bench.heard.ledger import Entry
from scripts.bench.heard.tape import Taped
from scripts.caller.clock import RATE
from serving.audio import Pcm16
from serving.speech import Word

pytestmark = pytest.mark.unit

WORDS = [Word(f"w{at}", at * 0.4, at * 0.4 + 0.4) for at in range(8)]


def judged(remembered: str, heard: str, kind: Kind = Kind.INTERRUPT) -> Judged:
    return Judged(kind, True, tuple(remembered.split()), tuple(heard.split()), 0.06, 0.05, 0.01)


@pytest.mark.parametrize(
    ("remembered", "heard", "error"),
    [("", "", 0), ("a b", "a b", 0), ("a b c", "a b", 1), ("a", "a b c", -2), ("a c", "a b", -1), ("x y z", "a", -3)],
)
def test_the_error_is_words_too_many(remembered: str, heard: str, error: int) -> None:
    assert judged(remembered, heard).error == error


def test_a_plan_has_every_kind_and_is_the_same_for_a_seed() -> None:
    drawn = plans(20, 3, seed=5)
    cuts = [cut for plan in drawn for cut in plan.cuts]
    assert len(cuts) == 20
    assert {cut.kind for cut in cuts} == set(Kind)
    assert drawn == plans(20, 3, seed=5) != plans(20, 3, seed=6)
    assert all(cut.pause_at_s <= cut.after_s for cut in cuts)


def test_a_call_is_judged_by_its_recording() -> None:
    sound = voice_like(3.2, ROOM_RATE)
    recording = np.zeros(12 * RATE, np.int16)
    put(recording, voice_like(3.2, RATE)[: round(1.5 * RATE)], 1.06)
    put(recording, voice_like(3.2, RATE)[: round(0.1 * RATE)], 6.06)
    entries = [entry(sound, 101.0, 1.49, "w0 w1 w2 w3"), entry(sound, 106.0, 0.1, "w0")]
    first, second = judge_call(entries, recording, 100.0)
    assert (first.heard, first.error) == (("w0", "w1", "w2", "w3"), 0)
    assert first.way_s == pytest.approx(0.06, abs=0.003)
    assert first.beyond_s == pytest.approx(0.01, abs=0.005)
    assert first.after_stop_s == pytest.approx(0.07, abs=0.005)
    assert (second.heard, second.error) == ((), 1)


def test_the_summary_counts_by_kind() -> None:
    figures = summary([judged("a b", "a b"), judged("a", ""), judged("", "", Kind.FIRST_WORD)], "a machine")
    assert figures["all_errors"] == histogram([judged("a", ""), judged("", ""), judged("", "")]) == {0: 2, 1: 1}
    assert figures["errors"]["first word"] == {0: 1}
    assert figures["ms"]["reply is cut -> last sound"]["p50"] == 50.0
    assert figures["wrong"] == [{"kind": "interrupt", "remembered": "a", "heard": ""}]


def entry(sound: Pcm16, started_at: float, played_s: float, remembered: str) -> Entry:
    taped = Taped([sound], WORDS, [Run(0.0, played_s)], started_at, started_at + played_s, True)
    return Entry(Cut(kind=Kind.INTERRUPT, text="", after_s=played_s), taped, remembered)


def voice_like(seconds: float, rate: int) -> Pcm16:
    """A sound without any repetition, the same at every rate."""
    time_s = np.arange(round(seconds * rate)) / rate
    random = np.random.default_rng(1)
    parts = [np.sin(2 * np.pi * (f * time_s + random.uniform(2, 9) * time_s**2)) for f in random.uniform(100, 3000, 60)]
    sound: Pcm16 = (np.sum(parts, axis=0) * 400).astype(np.int16)
    return sound


def put(recording: Pcm16, sound: Pcm16, at_s: float) -> None:
    start = round(at_s * RATE)
    recording[start : start + len(sound)] = sound
