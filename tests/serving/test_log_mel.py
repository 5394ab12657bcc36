"""Mel bands and frames, the features against faster-whisper's own extractor, the padding shortcut against real padding."""

import numpy as np
import numpy.typing as npt
import pytest
from faster_whisper.feature_extractor import FeatureExtractor

from serving.audio import SPEECH_RATE, Pcm32
from serving.log_mel import HOP_SAMPLES, MELS, WINDOW_SAMPLES, log_mel_power, normalised_log_mel

pytestmark = pytest.mark.unit

WINDOW = 8 * 16_000
FRAMES = 800


def power(samples: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """In mel bands."""
    return np.asarray(10 ** log_mel_power(samples, floor=1e-12))


@pytest.mark.parametrize("hertz", [200.0, 1000.0, 4000.0])
def test_a_tone_is_loudest_in_the_band_that_whisper_gives_it(hertz: float) -> None:
    tone = np.sin(2 * np.pi * hertz * np.arange(SPEECH_RATE) / SPEECH_RATE)
    mels = hertz * 3 / 200 if hertz <= 1000 else 15 + np.log(hertz / 1000) / np.log(6.4) * 27
    top = 15 + np.log(8.0) / np.log(6.4) * 27
    loudest = int(power(tone)[:, 50].argmax())
    assert abs(loudest + 1 - mels / top * (MELS + 1)) <= 1


@pytest.mark.parametrize(("samples", "frames"), [(400, 1), (559, 1), (560, 2), (16_000, 98)])
def test_only_whole_frames_count(samples: int, frames: int) -> None:
    assert power(np.ones(samples)).shape == (MELS, frames)


def test_a_frame_holds_its_own_samples_and_no_others() -> None:
    quiet = np.zeros(4_000)
    quiet[10 * HOP_SAMPLES : 10 * HOP_SAMPLES + WINDOW_SAMPLES] = 1.0
    sound = power(quiet).sum(axis=0) > 1e-9
    assert sound[10]
    assert not sound[:7].any()
    assert not sound[13:].any()


def speechlike(length: int) -> Pcm32:
    """A gliding tone with a slow beat, noise and an offset."""
    t = np.arange(length) / 16_000
    tone = 0.2 * np.sin(2 * np.pi * (150 + 400 * t) * t) * np.sin(2 * np.pi * 2.5 * t)
    noise = np.random.default_rng(length).normal(0.0, 0.004, length)
    return np.asarray(tone + noise + 0.01, dtype=np.float32)


def reference(samples: Pcm32) -> Pcm32:
    """Padded on the left, normalised, then faster-whisper's transform."""
    padded = np.zeros(WINDOW, dtype=np.float32)
    recent = samples[-WINDOW:]
    if len(recent):
        padded[-len(recent) :] = recent
    normal = (padded - padded.mean()) / np.sqrt(padded.var() + 1e-7)
    features: Pcm32 = FeatureExtractor(chunk_length=8)(normal, padding=0)
    return features


@pytest.mark.parametrize(
    "length", [1, 159, 200, 399, 401, 4_000, 16_000, 31_999, 64_123, 127_700, 127_999, 128_000, 200_000]
)
def test_equals_the_reference_at_any_length(length: int) -> None:
    samples = speechlike(length)
    features = normalised_log_mel(samples, FRAMES)
    assert features.shape == (MELS, FRAMES)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, reference(samples), atol=2e-4)


def test_no_audio_at_all_gives_finite_features() -> None:
    np.testing.assert_allclose(
        normalised_log_mel(np.zeros(0, dtype=np.float32), FRAMES), reference(np.zeros(0, dtype=np.float32)), atol=2e-4
    )


def test_silence_gives_finite_features() -> None:
    assert np.isfinite(normalised_log_mel(np.zeros(16_000, dtype=np.float32), FRAMES)).all()


def test_only_the_last_eight_seconds_count() -> None:
    samples = speechlike(200_000)
    np.testing.assert_array_equal(normalised_log_mel(samples, FRAMES), normalised_log_mel(samples[-WINDOW:], FRAMES))


def test_loudness_does_not_matter() -> None:
    samples = speechlike(WINDOW)
    np.testing.assert_allclose(normalised_log_mel(samples * 3, FRAMES), normalised_log_mel(samples, FRAMES), atol=1e-3)
