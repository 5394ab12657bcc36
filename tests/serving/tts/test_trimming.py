"""Trimming silence, and fading edges so that they do not click."""

import numpy as np
import pytest

from serving.tts.trimming import fade_edges, sounding

pytestmark = pytest.mark.unit

RATE = 16_000


def test_silence_goes_and_the_margins_stay() -> None:
    samples = np.zeros(RATE, dtype=np.float32)
    samples[4_000:8_000] = 0.5
    assert sounding(samples, RATE, lead_s=0.01, tail_s=0.03) == (4_000 - 160, 8_000 + 480)


def test_margins_end_where_the_audio_ends() -> None:
    samples = np.full(100, 0.5, dtype=np.float32)
    assert sounding(samples, RATE, lead_s=0.01, tail_s=0.03) == (0, 100)


def test_nothing_audible_leaves_nothing() -> None:
    assert sounding(np.full(RATE, 0.001, dtype=np.float32), RATE, lead_s=0.01, tail_s=0.03) == (0, 0)
    assert sounding(np.zeros(0, dtype=np.float32), RATE, lead_s=0.01, tail_s=0.03) == (0, 0)


def test_edges_start_and_end_at_zero_and_the_middle_is_untouched() -> None:
    samples = np.ones(RATE, dtype=np.float32)
    faded = fade_edges(samples, RATE)
    assert faded[0] == 0.0
    assert faded[-1] == 0.0
    assert np.abs(np.diff(faded)).max() < 0.05
    assert (faded[100:-100] == 1.0).all()
    assert (samples == 1.0).all()


@pytest.mark.parametrize("length", [0, 1, 2, 5])
def test_hardly_any_samples(length: int) -> None:
    assert len(fade_edges(np.ones(length, dtype=np.float32), RATE)) == length
