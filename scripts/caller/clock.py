"""The one clock of a recording: both channels are laid out on it."""

import time

from serving.audio import SPEECH_RATE

RATE = SPEECH_RATE
"""Sample rate in Hz of everything the caller says, hears and records."""
FRAME_S = 0.01
"""Seconds of audio in one frame: what WebRTC itself works in, so no frame waits for its other half."""
FRAME_SAMPLES = int(RATE * FRAME_S)
"""Samples in one frame."""


class AudioClock:
    """Seconds since the recording began, monotonic."""

    def __init__(self) -> None:
        self.restart()

    def restart(self, now_s: float = 0.0) -> None:
        """Make the present `now_s`."""
        self._origin_s = time.perf_counter() - now_s

    def now_s(self) -> float:
        """Seconds since the origin."""
        return time.perf_counter() - self._origin_s
