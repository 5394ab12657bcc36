"""What the network should say, frame by frame."""

import numpy as np
import pytest

from scripts.train.interruption.truth import (
    AFTER_S,
    BACKCHANNEL,
    FIRST_S,
    FRAME_S,
    FRAMES,
    INTERRUPTION,
    Mark,
    truth_of,
)
from serving.audio import SPEECH_RATE
from serving.interruption.onset_window import LEAD_S

pytestmark = pytest.mark.unit

EARLY = round(LEAD_S * SPEECH_RATE)


def seconds(frames: np.ndarray) -> float:
    return len(frames) * FRAME_S


def test_a_sound_is_judged_from_shortly_after_its_onset_until_shortly_after_its_end() -> None:
    truth = truth_of([Mark(0, SPEECH_RATE // 2, INTERRUPTION)], EARLY)
    judged = np.flatnonzero(truth == INTERRUPTION)
    assert truth.shape == (FRAMES,)
    assert (truth[: judged[0]] == -1).all()
    assert seconds(judged) == pytest.approx(0.5 + AFTER_S - FIRST_S, abs=2 * FRAME_S)


def test_a_later_sound_takes_over() -> None:
    murmur, words = Mark(0, SPEECH_RATE // 5, BACKCHANNEL), Mark(SPEECH_RATE // 2, SPEECH_RATE, INTERRUPTION)
    truth = truth_of([murmur, words], EARLY)
    assert truth[truth >= 0].tolist() == sorted(truth[truth >= 0], reverse=True)
    assert {BACKCHANNEL, INTERRUPTION} <= set(truth.tolist())
