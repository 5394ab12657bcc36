"""How late the agent's voice comes back, by generalised cross-correlation with phase transform."""

import numpy as np
import numpy.typing as npt

from serving.audio import SPEECH_RATE, Pcm32

WINDOW_SAMPLES = SPEECH_RATE
"""Length of the microphone signal that is compared at a time."""
MAX_SAMPLES = SPEECH_RATE
"""An echo is looked for up to one second after it was played."""
EVERY_BLOCKS = 10
"""Blocks between two looks."""
BAND_HZ = (300.0, 3400.0)
"""What a telephone lets through."""
MIN_PEAK = 12.0
"""Minimum ratio of the correlation's peak to its RMS. Echoes have 13 to 50 (the bench's paths, real rooms), a caller's own speech
up to 11."""
SAME_SAMPLES = 16
"""Estimates within 1 ms of each other are the same path; the filter adapts to such changes."""
MOVED_SAMPLES = 5 * SPEECH_RATE // 1000
"""A filter does not follow a delay that jumps by more than this."""
MIN_SAMPLES = 20 * SPEECH_RATE // 1000
"""No path through two jitter buffers is shorter."""
FIRST_LOOKS, MORE_LOOKS = 2, 4
"""Looks in a row that must agree on a new delay: until one is settled (jitter buffers move while they fill), and after that."""
SETTLED_LOOKS = 5
"""Looks in a row that must find a delay before it counts as settled."""
MIN_RMS = 1e-3
"""Played sound quieter than this says nothing about the delay."""


class EchoDelay:
    """One line's echo delay. Feed it what was played and what was heard at the same time, block by block."""

    def __init__(self) -> None:
        self._played = np.zeros(WINDOW_SAMPLES + MAX_SAMPLES, np.float32)
        self._heard = np.zeros(WINDOW_SAMPLES, np.float32)
        self._blocks = 0
        self._candidate: int | None = None
        self._agreed = 0
        self.samples: int | None = None
        """The delay; None until an echo has been found."""
        self.is_settled = False

    def push(self, played: Pcm32, microphone: Pcm32) -> None:
        """Take two blocks of equal length, float32 at 16 kHz; every EVERY_BLOCKS, look for the echo."""
        _shift_in(self._played, played)
        _shift_in(self._heard, microphone)
        self._blocks += 1
        if self._blocks % EVERY_BLOCKS == 0:
            self._look()

    def _look(self) -> None:
        if np.sqrt(np.mean(self._played[-WINDOW_SAMPLES:] ** 2)) < MIN_RMS:
            return
        found = find_delay(self._played, self._heard)
        if found is None or found < MIN_SAMPLES:
            self._candidate, self._agreed = None, 0
            return
        is_same = self._candidate is not None and abs(found - self._candidate) <= SAME_SAMPLES
        self._agreed = self._agreed + 1 if is_same else 1
        self._candidate = found
        is_other = self.samples is None or abs(found - self.samples) > SAME_SAMPLES
        if is_other and self._agreed >= (MORE_LOOKS if self.is_settled else FIRST_LOOKS):
            self.samples = found
        self.is_settled = self.is_settled or self._agreed >= SETTLED_LOOKS

    @property
    def is_moving(self) -> bool:
        """Whether the last look found the echo somewhere else."""
        if self.samples is None or self._candidate is None:
            return False
        return abs(self._candidate - self.samples) > MOVED_SAMPLES


def find_delay(played: Pcm32, heard: Pcm32) -> int | None:
    """Samples by which `heard` (shape (n,)) lags behind `played` (shape (n + k,), same end), up to k; None if it
    is not an echo of it."""
    longest = len(played) - len(heard)
    size = 2 ** int(np.ceil(np.log2(len(played) + len(heard))))
    cross = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(played, size))
    hz = np.fft.rfftfreq(size, 1 / SPEECH_RATE)
    cross[(hz < BAND_HZ[0]) | (hz > BAND_HZ[1])] = 0
    correlation: npt.NDArray[np.float64] = np.abs(np.fft.irfft(cross / (np.abs(cross) + 1e-9)))
    # heard[i] = played[i + longest - delay]: a lag of delay - longest
    lags = np.concatenate((correlation[size - longest :], correlation[:1]))
    peak = int(np.argmax(lags))
    clear = lags[peak] > MIN_PEAK * np.sqrt(np.mean(lags**2))
    return peak if clear else None


def _shift_in(ring: Pcm32, block: Pcm32) -> None:
    ring[: -len(block)] = ring[len(block) :]
    ring[-len(block) :] = block
