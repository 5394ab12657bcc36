"""Rendered voices: the words are where they are said to be. Skipped where the synthesizers are not installed."""

import ctypes
import random

import numpy as np
import pytest

from models.demo.turn_taking.spoken import RATE, Unspeakable, Voice
from models.demo.turn_taking.voices import draw_voice, speak

pytestmark = pytest.mark.unit

TEXT = "i need an appointment, um, on friday at five o'clock?"
VOICES = [
    Voice("flite", "slt"),
    Voice("flite", "kal16", tempo=1.2),
    Voice("espeak", "en-gb+f2"),
    Voice("espeak", "en-029+m3", tempo=0.8),
]


@pytest.fixture(scope="module", autouse=True)
def synthesizers() -> None:
    """Debian's flite and espeak-ng."""
    try:
        ctypes.CDLL("libflite.so.1"), ctypes.CDLL("libespeak-ng.so.1")
    except OSError as error:
        pytest.skip(f"apt-get install flite espeak-ng ({error})")


@pytest.mark.parametrize("voice", VOICES, ids=lambda voice: voice.name)
def test_every_word_has_its_place_in_order(voice: Voice) -> None:
    spoken = speak(TEXT, voice)
    assert [word.text for word in spoken.words] == [word.strip(",?") for word in TEXT.split()]
    for word, following in zip(spoken.words, spoken.words[1:], strict=False):
        assert word.start_s < word.end_s <= following.start_s + 1e-3
    assert spoken.words[-1].end_s <= len(spoken.samples) / RATE


@pytest.mark.parametrize("voice", VOICES, ids=lambda voice: voice.name)
def test_words_are_loud_and_the_pause_after_a_comma_is_not(voice: Voice) -> None:
    spoken = speak(TEXT, voice)
    um, on = spoken.words[4], spoken.words[5]
    said = spoken.samples[round(um.start_s * RATE) : round(um.end_s * RATE)]
    pause = spoken.samples[round((um.end_s + 0.02) * RATE) : round((on.start_s - 0.02) * RATE)]
    assert len(pause) > 0.02 * RATE
    assert np.sqrt(np.mean(pause**2)) < 0.1 * np.sqrt(np.mean(said**2))


@pytest.mark.parametrize("name", ["slt", "kal16"])
def test_flites_tempo_is_forgotten_by_the_next_caller(name: str) -> None:
    usual = speak(TEXT, Voice("flite", name)).samples
    fast = speak(TEXT, Voice("flite", name, tempo=1.3)).samples
    assert len(fast) < 0.85 * len(usual)
    assert len(speak(TEXT, Voice("flite", name)).samples) == pytest.approx(len(usual), rel=0.01)


def test_the_voices_to_test_with_are_never_drawn() -> None:
    rng = random.Random(3)
    drawn = {voice.name for voice in (draw_voice(rng) for _ in range(400))}
    assert "rms" not in drawn
    assert {"slt", "awb", "kal16"} < drawn


def test_numerals_are_refused() -> None:
    with pytest.raises(Unspeakable):
        speak("at 1234", Voice("flite", "slt"))
