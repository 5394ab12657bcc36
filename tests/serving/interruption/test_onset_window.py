"""The interruption model's input: where its window begins and ends, for any length of sound."""

import numpy as np
import pytest

from serving.audio import SPEECH_RATE
from serving.interruption.onset_window import LEAD_S, MAX_OVERLAP_S, MIN_OVERLAP_S, onset_log_mel, onset_window

pytestmark = pytest.mark.unit

RAMP = np.arange(5 * SPEECH_RATE, dtype=np.float32)


@pytest.mark.parametrize("overlap_s", [0.1, 0.3, 1.6])
def test_the_window_begins_shortly_before_the_onset_and_ends_now(overlap_s: float) -> None:
    window = onset_window(RAMP, overlap_s)
    assert len(window) == round((LEAD_S + overlap_s) * SPEECH_RATE)
    assert window[-1] == RAMP[-1]
    assert np.array_equal(np.diff(window), np.ones(len(window) - 1))


@pytest.mark.parametrize(("overlap_s", "shown_s"), [(-1.0, MIN_OVERLAP_S), (0.0, MIN_OVERLAP_S), (4.0, MAX_OVERLAP_S)])
def test_too_short_and_too_long_overlaps_are_bounded(overlap_s: float, shown_s: float) -> None:
    assert len(onset_window(RAMP, overlap_s)) == round((LEAD_S + shown_s) * SPEECH_RATE)


@pytest.mark.parametrize("length", [0, 1, 1_000])
def test_what_was_never_heard_is_silence(length: int) -> None:
    window = onset_window(np.ones(length, dtype=np.float32), 0.2)
    assert window.sum() == length
    assert window[len(window) - length :].sum() == length


def test_the_window_is_a_copy() -> None:
    buffer = RAMP.copy()
    window = onset_window(buffer, 0.2)
    buffer[:] = 0
    assert window[-1] == RAMP[-1]


@pytest.mark.parametrize("spare", [0, 1, 79, 159])
def test_the_last_frame_ends_with_the_window(spare: int) -> None:
    window = np.zeros(400 + 160 * 20 + spare, dtype=np.float32)
    window[-400:] = np.random.default_rng(0).normal(0, 0.1, 400)
    features = onset_log_mel(window)
    assert features.shape == (80, 21)
    alone = onset_log_mel(window[-400:])
    assert np.allclose(features[:, -1], alone[:, 0], atol=1e-6)


def test_louder_sound_has_larger_features_by_the_same_amount() -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, SPEECH_RATE).astype(np.float32)
    assert np.allclose(onset_log_mel(10 * noise) - onset_log_mel(noise), 0.5, atol=1e-4)


def test_silence_stays_finite() -> None:
    assert np.isfinite(onset_log_mel(np.zeros(8_000, dtype=np.float32))).all()
