"""A linear echo canceller: it subtracts the part of the microphone signal that is a filtered copy of what was played.

A partitioned-block frequency-domain Kalman filter (Enzner & Vary, "Frequency-domain adaptive Kalman filter for acoustic
echo control in hands-free telephones", Signal Processing 86, 2006; partitioned as in Kuech et al., ICASSP 2014). Its step
size falls by itself while the caller speaks, so speech over the agent's voice passes unchanged.
"""

import numpy as np
import numpy.typing as npt

from serving.audio import Pcm32

BLOCK_SAMPLES = 320
"""20 ms at 16 kHz, a frame of the room's input."""
PARTITIONS = 10
"""Modelled length of the echo path in blocks: 200 ms, most of a small room's reverberation."""
TRANSITION = 0.999
"""Share of the echo path, in amplitude, that is assumed to survive a block."""
FIRST_VARIANCE = 0.02
"""Initial variance of each bin of the path: an echo as loud as the voice, spread over a few partitions."""
NEAR_END_SMOOTHING = 0.8
"""Smoothing of the residual's power spectrum from block to block."""

_Spectra = npt.NDArray[np.complex64]


class LinearEchoFilter:
    """One line's echo path. Feed it blocks of BLOCK_SAMPLES, float32 at 16 kHz, in order."""

    def __init__(self, partitions: int = PARTITIONS) -> None:
        bins = BLOCK_SAMPLES + 1
        self._played: _Spectra = np.zeros((partitions, bins), np.complex64)
        self._path: _Spectra = np.zeros((partitions, bins), np.complex64)
        self._variance = np.full((partitions, bins), FIRST_VARIANCE, np.float32)
        self._near_end = np.zeros(bins, np.float32)
        self._last = np.zeros(BLOCK_SAMPLES, np.float32)

    def push(self, played: Pcm32, microphone: Pcm32) -> Pcm32:
        """The microphone's block without the echo, shape (BLOCK_SAMPLES,)."""
        self._played[1:] = self._played[:-1]
        self._played[0] = np.fft.rfft(np.concatenate((self._last, played)))
        self._last = played
        echo = np.fft.irfft(np.sum(self._path * self._played, axis=0))[BLOCK_SAMPLES:]
        left = (microphone - echo).astype(np.float32)
        self._adapt(left)
        return left

    def _adapt(self, left: Pcm32) -> None:
        error = np.fft.rfft(np.concatenate((np.zeros(BLOCK_SAMPLES, np.float32), left))).astype(np.complex64)
        self._near_end *= NEAR_END_SMOOTHING
        self._near_end += (1 - NEAR_END_SMOOTHING) * _power(error)
        played_power = _power(self._played)
        # half: of a block and the one before it, only the newer half is compared
        total = 0.5 * np.sum(self._variance * played_power, axis=0) + self._near_end + 1e-6
        step = self._variance / total
        update = np.fft.irfft(step * np.conj(self._played) * error, axis=1)
        update[:, BLOCK_SAMPLES:] = 0  # a partition is no longer than a block
        self._path += np.fft.rfft(update, axis=1)
        self._variance *= TRANSITION**2 * (1 - 0.5 * step * played_power)
        self._variance += (1 - TRANSITION**2) * _power(self._path)


def _power(spectra: _Spectra) -> npt.NDArray[np.float32]:
    return spectra.real**2 + spectra.imag**2
