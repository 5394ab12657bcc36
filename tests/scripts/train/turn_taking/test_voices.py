"""Rendered voices: the words are where they are said to be. Skipped where the synthesizers are not installed."""

import ctypes
import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from scripts.paths import ROOT
from scripts.train.turn_taking.foreign import FESTIVAL_PACKAGES, FOREIGN_SPEAKERS, murmur
from scripts.train.turn_taking.spoken import Unspeakable, Voice
from scripts.train.turn_taking.voices import draw_voice, speak
from serving.audio import SPEECH_RATE

pytestmark = pytest.mark.unit

TEXT = "i need an appointment, um, on friday at five o'clock?"
VOICES = [
    Voice("flite", "slt"),
    Voice("flite", "kal16", tempo=1.2),
    Voice("espeak", "en-gb+f2"),
    Voice("espeak", "en-029+m3", tempo=0.8),
    *(Voice("foreign", name) for name in FOREIGN_SPEAKERS),
]


@pytest.fixture(scope="module", autouse=True)
def synthesizers() -> None:
    """Debian's flite, espeak-ng and festival."""
    try:
        ctypes.CDLL("libflite.so.1"), ctypes.CDLL("libespeak-ng.so.1")
    except OSError as error:
        pytest.skip(f"bash scripts/install_voices.sh flite espeak-ng ({error})")
    folders = [Path("/usr/share/festival") / folder for folder in FESTIVAL_PACKAGES.values()]
    if shutil.which("festival") is None or not all(folder.exists() for folder in folders):
        pytest.skip("bash scripts/install_voices.sh foreign")


@pytest.mark.parametrize("voice", VOICES, ids=lambda voice: voice.name)
def test_every_word_has_its_place_in_order(voice: Voice) -> None:
    spoken = speak(TEXT, voice)
    assert [word.text for word in spoken.words] == [word.strip(",?") for word in TEXT.split()]
    for word, following in zip(spoken.words, spoken.words[1:], strict=False):
        assert word.start_s < word.end_s <= following.start_s + 1e-3
    assert spoken.words[-1].end_s <= len(spoken.samples) / SPEECH_RATE


@pytest.mark.parametrize("voice", VOICES, ids=lambda voice: voice.name)
def test_words_are_loud_and_the_pause_after_a_comma_is_not(voice: Voice) -> None:
    spoken = speak(TEXT, voice)
    um, on = spoken.words[4], spoken.words[5]
    said = spoken.samples[round(um.start_s * SPEECH_RATE) : round(um.end_s * SPEECH_RATE)]
    pause = spoken.samples[round((um.end_s + 0.02) * SPEECH_RATE) : round((on.start_s - 0.02) * SPEECH_RATE)]
    assert len(pause) > 0.02 * SPEECH_RATE
    noise = 0.25 if voice.engine == "foreign" else 0.1  # mv was recorded in a noisy room
    assert np.sqrt(np.mean(pause**2)) < noise * np.sqrt(np.mean(said**2))


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


@pytest.mark.parametrize("name", FOREIGN_SPEAKERS)
def test_speakers_of_other_tongues_have_a_pitch_of_their_own_and_follow_the_voices(name: str) -> None:
    low, high = (
        pitch_hz(speak("no one knew", Voice("foreign", name, pitch=pitch, liveliness=0.0)).samples)
        for pitch in (0.85, 1.15)
    )
    own = FOREIGN_SPEAKERS[name].pitch_hz
    assert low == pytest.approx(0.85 * own, rel=0.12)
    assert high == pytest.approx(1.15 * own, rel=0.12)


@pytest.mark.parametrize("name", FOREIGN_SPEAKERS)
def test_a_murmur_of_phones_is_heard_and_is_short(name: str) -> None:
    sound = murmur(["pau", "m", "hh", "m", "pau"], Voice("foreign", name))
    loud = np.flatnonzero(np.abs(sound) > 0.1 * np.abs(sound).max())
    assert 0.15 < (loud[-1] - loud[0]) / SPEECH_RATE < 1.0


def pitch_hz(samples: np.ndarray) -> float:
    """Of the loudest 80 ms, by autocorrelation, between 60 and 400 Hz."""
    length = round(0.08 * SPEECH_RATE)
    starts = range(0, len(samples) - length, length // 2)
    loudest = max((samples[start : start + length] for start in starts), key=lambda part: float(np.sum(part**2)))
    product = np.correlate(loudest, loudest, "full")[length - 1 :]
    shortest, longest = SPEECH_RATE // 400, SPEECH_RATE // 60
    return SPEECH_RATE / (shortest + int(np.argmax(product[shortest:longest])))


def test_what_a_build_needs_is_what_the_script_installs() -> None:
    script = (ROOT / "scripts" / "install_voices.sh").read_text(encoding="utf-8")
    assert set(FESTIVAL_PACKAGES) <= set(script.replace(")", " ").split())


def test_numerals_are_refused() -> None:
    with pytest.raises(Unspeakable):
        speak("at 1234", Voice("flite", "slt"))
