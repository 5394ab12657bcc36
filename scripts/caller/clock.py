"""The clock of a recording, on which both channels are laid out."""

import time

from serving.audio import SPEECH_RATE

RATE = SPEECH_RATE
"""Sample rate in Hz of everything the caller says, hears and records."""
FRAME_S = 0.01
"""Seconds of audio in one frame: WebRTC's own unit, so that no frame waits for another half."""
FRAME_SAMPLES = int(RATE * FRAME_S)
"""Samples in one frame."""


class AudioClock:
    """Seconds since the recording began, monotonic."""

    def __init__(self) -> None:
        self.restart()

    def restart(self, now_s: float = 0.0) -> None:
        """Set the current time to `now_s`."""
        self._origin_s = time.perf_counter() - now_s

    def now_s(self) -> float:
        """Seconds since the origin."""
        return time.perf_counter() - self._origin_s
