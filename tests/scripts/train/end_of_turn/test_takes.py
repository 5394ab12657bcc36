"""Turns as they are spoken. Skipped where the synthesizers are not installed."""

import ctypes
from itertools import islice, pairwise

import numpy as np
import pytest

from scripts.train.end_of_turn.takes import NEW_UTTERANCE_S, SOUND_S, Take, Takes, stretched
from scripts.train.turn_taking.spoken import Voice
from serving.audio import SPEECH_RATE

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def takes() -> list[Take]:
    """A few dozen."""
    try:
        ctypes.CDLL("libflite.so.1"), ctypes.CDLL("libespeak-ng.so.1")
    except OSError as error:
        pytest.skip(f"apt-get install flite espeak-ng ({error})")
    return list(islice(iter(Takes(3)), 60))


def test_a_turns_takes_grow_until_it_ends(takes: list[Take]) -> None:
    for take, following in pairwise(takes):
        if not take.ended:
            assert following.words.startswith(take.words)
            assert following.voice == take.voice
        assert take.ended == (take.kind == "end")
        assert take.hold_s == 0 if take.ended else take.hold_s >= 0.2


def test_the_sound_is_finite_and_the_voice_is_before_the_silence(takes: list[Take]) -> None:
    for take in takes:
        assert np.isfinite(take.samples).all()
        assert 0.1 * SPEECH_RATE < len(take.samples) <= SOUND_S * SPEECH_RATE


def test_a_long_pause_begins_a_new_utterance(takes: list[Take]) -> None:
    for take, following in pairwise(takes):
        if take.ended:
            assert following.words_before == 0
        elif take.hold_s >= NEW_UTTERANCE_S:
            assert following.words_before == len(take.words.split())
            assert following.utterance_samples < take.utterance_samples + len(following.samples)
        else:
            assert following.words_before == take.words_before
            assert following.utterance_samples > take.utterance_samples


def test_voices_to_test_with_are_used_when_asked_for() -> None:
    try:
        ctypes.CDLL("libflite.so.1")
    except OSError as error:
        pytest.skip(f"apt-get install flite ({error})")
    assert {take.voice for take in islice(iter(Takes(4, [Voice("flite", "rms")])), 6)} == {"rms"}


def test_a_stretched_vowel_keeps_its_pitch() -> None:
    times = np.arange(SPEECH_RATE // 5) / SPEECH_RATE
    vowel = np.asarray(np.sin(2 * np.pi * 150 * times), dtype=np.float32)
    longer = stretched(vowel, 1.6)
    assert len(longer) == int(1.6 * len(vowel))
    spectrum = np.abs(np.fft.rfft(longer * np.hanning(len(longer))))
    assert np.argmax(spectrum) * SPEECH_RATE / len(longer) == pytest.approx(150, abs=8)
    assert float(np.sqrt(np.mean(longer**2))) == pytest.approx(float(np.sqrt(np.mean(vowel**2))), rel=0.2)
