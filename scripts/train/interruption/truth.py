"""What the network should say about an event, frame by frame."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from serving.audio import SPEECH_RATE
from serving.interruption.onset_window import LEAD_S, MAX_OVERLAP_S

INTERRUPTION, BACKCHANNEL, OTHER = range(3)
SPAN = round((LEAD_S + MAX_OVERLAP_S) * SPEECH_RATE)
"""Samples of an event."""
FRAME_S = 0.02
FRAMES = 98
"""Encoder frames that lie wholly within SPAN (scripts/train/interruption/model.py)."""
FIRST_S = 0.08
"""Nothing can be told earlier in a sound."""
AFTER_S = 0.35
"""A verdict is still asked for this long after the sound has ended, until the VAD notices."""

Truth = NDArray[np.int8]
"""The class at each of FRAMES, -1 where there is nothing to learn."""


class Mark(NamedTuple):
    """A sound within an event."""

    start: int
    """Samples from the beginning of the event's sound."""
    end: int
    label: int


def truth_of(marks: Sequence[Mark], early: int) -> Truth:
    """`early`: samples of the line before the event's sound begins."""
    truth = np.full(FRAMES, -1, np.int8)
    heard_s = (np.arange(FRAMES) * 2 + 2) * 0.01 + 0.025  # frame j has heard everything up to mel frame 2 j + 2
    for start, end, label in marks:
        is_judged = heard_s >= (early + start) / SPEECH_RATE + FIRST_S
        is_judged &= heard_s <= (early + end) / SPEECH_RATE + AFTER_S
        truth[is_judged] = label
    return truth
