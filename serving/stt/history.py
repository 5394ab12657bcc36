"""The last stretch of a call's audio, addressed by its place on the audio clock."""

import numpy as np

from serving.audio import SPEECH_RATE, Pcm32


class AudioHistory:
    """Grows at the end and is trimmed at the front; memory is bounded by what is kept."""

    def __init__(self) -> None:
        self._samples: Pcm32 = np.zeros(SPEECH_RATE, np.float32)
        self._length = 0
        self._first = 0
        """Where the first kept sample lies in the stream, in samples."""

    @property
    def end_s(self) -> float:
        """Where the audio ends."""
        return (self._first + self._length) / SPEECH_RATE

    def append(self, samples: Pcm32) -> None:
        """Add float32 samples at 16 kHz, shape (n,)."""
        needed = self._length + len(samples)
        if needed > len(self._samples):
            grown = np.zeros(2 * needed, np.float32)
            grown[: self._length] = self._samples[: self._length]
            self._samples = grown
        self._samples[self._length : needed] = samples
        self._length = needed

    def clip(self, start_s: float, end_s: float) -> Pcm32:
        """A copy of the audio between two times; shorter where it is no longer kept."""
        start = max(0, round(start_s * SPEECH_RATE) - self._first)
        end = max(start, min(self._length, round(end_s * SPEECH_RATE) - self._first))
        return self._samples[start:end].copy()

    def forget_before(self, time_s: float) -> None:
        """Drop audio before a time; at least half a second at once, so that little is copied."""
        count = min(self._length, round(time_s * SPEECH_RATE) - self._first)
        if count < SPEECH_RATE // 2:
            return
        self._samples[: self._length - count] = self._samples[count : self._length]
        self._length -= count
        self._first += count
