"""How recordings of people are divided into turns, shown on synthetic ones."""

from pathlib import Path

import numpy as np
import pytest

from scripts.bench.rttm import Segment, read_rttm
from scripts.bench.turns.real import is_clear, is_end, quiet_noise, sounds, turns
from serving.audio import SPEECH_RATE, Pcm32

pytestmark = pytest.mark.unit


def made_up() -> Pcm32:
    """Sound from 0.2 to 0.7 s and from 1.1 to 1.5 s, broken for 0.05 s at 0.4 s, over soft noise."""
    rng = np.random.default_rng(0)
    loud = np.zeros(2 * SPEECH_RATE)
    for begin, end in ((0.2, 0.4), (0.45, 0.7), (1.1, 1.5)):
        loud[round(begin * SPEECH_RATE) : round(end * SPEECH_RATE)] = 0.2
    return ((loud + 0.001) * rng.normal(size=len(loud))).astype(np.float32)


def test_sounds_are_separated_by_silences_as_long_as_a_pause() -> None:
    assert np.array(sounds(made_up())).ravel().tolist() == pytest.approx([0.2, 0.7, 1.1, 1.5], abs=0.011)


def test_a_turn_is_a_run_of_one_speaker_s_segments() -> None:
    segments = [Segment("a", 0.0, 1.0), Segment("a", 1.5, 2.0), Segment("b", 2.2, 3.0), Segment("a", 3.5, 4.0)]
    assert [[one.speaker for one in turn] for turn in turns(segments)] == [["a", "a"], ["b"], ["a"]]


@pytest.mark.parametrize(
    ("following", "expected"),
    [
        (Segment("b", 2.4, 3.0), True),
        (Segment("b", 1.9, 3.0), False),  # talks over it
        (Segment("b", 5.5, 6.0), False),  # too late to be an answer
        (Segment("a", 2.4, 3.0), False),  # the speaker goes on
    ],
)
def test_a_turn_is_over_when_another_takes_over(following: Segment, expected: bool) -> None:
    turn = [Segment("a", 0.0, 2.0)]
    assert is_end(turn, [*turn, following]) is expected


def test_a_moment_is_clear_if_nobody_speaks_in_it() -> None:
    others = [Segment("b", 1.0, 2.0)]
    assert is_clear(0.0, 1.0, others)
    assert not is_clear(0.5, 1.2, others)


def test_segments_are_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "meeting.rttm"
    path.write_text(
        "SPEAKER m 1 2.5 0.5 <NA> <NA> B <NA> <NA>\nSPEAKER m 1 0.0 1.25 <NA> <NA> A <NA> <NA>\n", encoding="utf-8"
    )
    assert read_rttm(path) == {"m": [Segment("A", 0.0, 1.25), Segment("B", 2.5, 3.0)]}


def test_the_noise_after_an_end_is_as_quiet_as_the_quiet_parts() -> None:
    noise = quiet_noise(made_up(), SPEECH_RATE)
    assert len(noise) == SPEECH_RATE
    assert float(np.sqrt(np.mean(np.square(noise)))) == pytest.approx(0.001, rel=0.3)
