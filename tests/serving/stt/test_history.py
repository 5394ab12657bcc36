"""A call's most recent audio, addressed by time."""

import numpy as np
import pytest

from serving.stt.history import AudioHistory

pytestmark = pytest.mark.unit


def ramp(start: int, count: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Samples whose value is their position."""
    return np.arange(start, start + count, dtype=np.float32)


def test_clips_are_found_by_time_before_and_after_forgetting() -> None:
    history = AudioHistory()
    for start in range(0, 80_000, 320):
        history.append(ramp(start, 320))
        history.forget_before(history.end_s - 2.0)
    assert history.end_s == 5.0
    np.testing.assert_array_equal(history.clip(3.5, 4.5), ramp(56_000, 16_000))


def test_what_is_forgotten_or_not_there_yet_is_left_out() -> None:
    history = AudioHistory()
    history.append(ramp(0, 32_000))
    history.forget_before(1.0)
    np.testing.assert_array_equal(history.clip(0.5, 9.0), ramp(16_000, 16_000))
    assert len(history.clip(0.0, 0.5)) == 0


def test_a_clip_does_not_change_when_audio_goes_on() -> None:
    history = AudioHistory()
    history.append(ramp(0, 16_000))
    clip = history.clip(0.0, 1.0)
    history.forget_before(1.0)
    history.append(ramp(16_000, 16_000))
    np.testing.assert_array_equal(clip, ramp(0, 16_000))
