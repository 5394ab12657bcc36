"""The features against faster-whisper's own extractor, and the padding shortcut against padding for real."""

import numpy as np
import pytest
from faster_whisper.feature_extractor import FeatureExtractor

from serving.audio import Pcm32
from serving.mel import MELS
from serving.turn.log_mel import FRAMES, log_mel

pytestmark = pytest.mark.unit

WINDOW = 8 * 16_000


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
    features = log_mel(samples)
    assert features.shape == (MELS, FRAMES)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, reference(samples), atol=2e-4)


def test_no_audio_at_all_gives_finite_features() -> None:
    np.testing.assert_allclose(
        log_mel(np.zeros(0, dtype=np.float32)), reference(np.zeros(0, dtype=np.float32)), atol=2e-4
    )


def test_silence_gives_finite_features() -> None:
    assert np.isfinite(log_mel(np.zeros(16_000, dtype=np.float32))).all()


def test_only_the_last_eight_seconds_count() -> None:
    samples = speechlike(200_000)
    np.testing.assert_array_equal(log_mel(samples), log_mel(samples[-WINDOW:]))


def test_loudness_does_not_matter() -> None:
    samples = speechlike(WINDOW)
    np.testing.assert_allclose(log_mel(samples * 3), log_mel(samples), atol=1e-3)
