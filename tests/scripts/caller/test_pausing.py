"""Lines with a pause in them."""

from itertools import cycle

import numpy as np
import pytest

from scripts.caller.clock import RATE
from scripts.caller.pausing import PausingVoice, pausing_voice, with_pause
from scripts.caller.voice import load_voice

pytestmark = pytest.mark.unit


def test_the_pause_is_where_the_line_is_quietest_and_nothing_is_lost() -> None:
    loud = np.full(RATE, 1000, np.int16)
    loud[9_000:10_000] = 10
    paused = with_pause(loud, 0.5)
    (silent,) = np.nonzero(paused == 0)
    assert len(silent) == RATE // 2
    assert 9_000 < silent[0] < 10_000
    assert np.array_equal(np.delete(paused, silent), loud)


def test_a_voice_pauses_in_long_lines_by_its_pauses_in_turn() -> None:
    plain, pausing = load_voice("rms"), pausing_voice("rms", [0.3, 0.6])
    line = "i would like to book an appointment with doctor chen"
    added = [len(pausing.line(line).samples) - len(plain.line(line).samples) for _ in range(3)]
    assert added == [round(pause_s * RATE) for pause_s in (0.3, 0.6, 0.3)]
    assert len(pausing.line("no").samples) == len(plain.line("no").samples)


def test_the_words_stay_the_same() -> None:
    voice = load_voice("rms")
    pausing = PausingVoice(voice.name, voice.root, voice.files, cycle([0.5]))
    assert pausing.line("where is the lab").text == "where is the lab"
