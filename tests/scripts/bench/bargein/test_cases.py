"""Cases of barge-in: onsets, levels, and sounds that depend only on their seed."""

import random
from pathlib import Path

import numpy as np
import pytest
import yaml

from scripts.bench.bargein import sounds
from scripts.bench.bargein.cases import LEAD_S, LINES, levelled
from scripts.bench.bargein.overlapped_speech import overlapping
from scripts.bench.bargein.voices import trimmed
from scripts.bench.rttm import Segment, read_rttm
from scripts.train.interruption.lines import RULES, Lines
from serving.audio import SPEECH_RATE

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("make", {*sounds.THROATS, *sounds.THINGS, sounds.hum}, ids=lambda make: make.__name__)
def test_a_seed_always_gives_the_same_sound_and_another_seed_a_different_one(make: type) -> None:
    first, again, other = (make(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other[: len(first)])
    assert first.dtype == np.float32
    assert np.abs(first).max() == pytest.approx(1.0)
    assert 0.1 * SPEECH_RATE < len(first) < 3 * SPEECH_RATE


def test_a_sound_is_levelled_and_never_clips() -> None:
    noise = np.random.default_rng(0).normal(0, 1, 8_000).astype(np.float32)
    assert 20 * np.log10(np.sqrt(np.mean(levelled(noise, -30) ** 2))) == pytest.approx(-30, abs=0.01)
    assert np.abs(levelled(noise, 0)).max() <= 1


def test_the_onset_is_where_the_sound_begins() -> None:
    quiet = np.zeros(1_000, np.float32)
    assert trimmed(np.concatenate([quiet, np.full(50, 0.2, np.float32), quiet])).tolist() == [1.0] * 50
    assert LEAD_S > 1.0  # what LiveKit sends before an onset


def test_the_lines_are_not_those_that_are_trained_on() -> None:
    ours = yaml.safe_load(LINES.read_text(encoding="utf-8"))
    lines = Lines(random.Random(3))
    drawn = {lines.interruption() for _ in range(3_000)} | {lines.yes_but("flite") for _ in range(1_000)}
    long = {line for key in ("interruptions", "yes_buts", "others") for line in ours[key] if len(line.split()) > 4}
    assert len(long) > 25
    assert not long & drawn
    assert RULES


RTTM = """SPEAKER one 1 0.000 5.000 <NA> <NA> a <NA> <NA>
SPEAKER one 1 2.000 0.500 <NA> <NA> b <NA> <NA>
SPEAKER one 1 3.000 4.000 <NA> <NA> c <NA> <NA>
SPEAKER two 1 1.000 0.500 <NA> <NA> a <NA> <NA>
"""


def test_segments_over_another_speaker_are_short_or_long(tmp_path: Path) -> None:
    (tmp_path / "meeting.rttm").write_text(RTTM)
    found = read_rttm(tmp_path / "meeting.rttm")
    assert list(found) == ["one", "two"]
    assert [(segment.speaker, is_long) for segment, is_long in overlapping(found["one"])] == [("b", False), ("c", True)]
    assert overlapping(found["two"]) == []


def test_medium_segments_and_a_speaker_s_own_are_left_out() -> None:
    own = [Segment("a", 0.0, 5.0), Segment("a", 2.0, 2.5), Segment("b", 2.0, 3.2), Segment("b", 0.2, 0.6)]
    assert overlapping(own) == []
