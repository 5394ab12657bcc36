"""Mel bands: places, heights, the frames' places in the sound."""

import numpy as np
import pytest

from serving.audio import SPEECH_RATE
from serving.mel import HOP_SAMPLES, MELS, WINDOW_SAMPLES, mel_power

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("hertz", [200.0, 1000.0, 4000.0])
def test_a_tone_is_loudest_in_the_band_that_whisper_gives_it(hertz: float) -> None:
    tone = np.sin(2 * np.pi * hertz * np.arange(SPEECH_RATE) / SPEECH_RATE)
    mels = hertz * 3 / 200 if hertz <= 1000 else 15 + np.log(hertz / 1000) / np.log(6.4) * 27
    top = 15 + np.log(8.0) / np.log(6.4) * 27
    loudest = int(mel_power(tone)[:, 50].argmax())
    assert abs(loudest + 1 - mels / top * (MELS + 1)) <= 1


@pytest.mark.parametrize(("samples", "frames"), [(400, 1), (559, 1), (560, 2), (16_000, 98)])
def test_only_whole_frames_count(samples: int, frames: int) -> None:
    assert mel_power(np.ones(samples)).shape == (MELS, frames)


def test_a_frame_holds_its_own_samples_and_no_others() -> None:
    quiet = np.zeros(4_000)
    quiet[10 * HOP_SAMPLES : 10 * HOP_SAMPLES + WINDOW_SAMPLES] = 1.0
    sound = mel_power(quiet).sum(axis=0) > 1e-9
    assert sound[10]
    assert not sound[:7].any()
    assert not sound[13:].any()
