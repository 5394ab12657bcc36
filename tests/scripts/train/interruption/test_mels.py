"""Training hears what the engine hears."""

import numpy as np
import pytest

from scripts.train.interruption.mels import log_mels
from scripts.train.interruption.truth import FRAMES, SPAN
from serving.interruption.onset_window import LEAD_S, MAX_OVERLAP_S, onset_log_mel, onset_window

pytestmark = pytest.mark.unit

NOISE = (np.random.default_rng(0).normal(0, 0.1, (2, SPAN)) * 32767).astype(np.int16)


def test_a_frame_of_the_encoder_takes_two_of_the_spectrum() -> None:
    for frames in (20, FRAMES):
        assert log_mels(NOISE, frames).shape == (2, 80, 2 * frames + 1)


def test_a_shorter_overlap_is_the_beginning_of_a_longer_one() -> None:
    assert np.array_equal(log_mels(NOISE, 30), log_mels(NOISE, FRAMES)[:, :, :61])


def test_the_engine_computes_the_same_spectrum() -> None:
    used = (2 * FRAMES) * 160 + 400
    samples = np.asarray(NOISE[0, :used] / 32768, np.float32)
    window = onset_window(samples, used / 16_000 - LEAD_S)
    assert used / 16_000 - LEAD_S < MAX_OVERLAP_S
    assert np.array_equal(onset_log_mel(window), log_mels(NOISE, FRAMES)[0])
