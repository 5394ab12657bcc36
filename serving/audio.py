"""Audio as it travels inside Callbox: mono PCM that carries its own sample rate."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Pcm16 = npt.NDArray[np.int16]
Pcm32 = npt.NDArray[np.float32]

SPEECH_RATE = 16_000
"""Sample rate in Hz of everything that listens (VAD, STT, turn detection)."""


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """A stretch of mono audio."""

    samples: Pcm16
    """Shape (n,), int16."""
    sample_rate: int
    """Hz."""

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate

    def to_float(self) -> Pcm32:
        """The samples as float32 in [-1, 1), shape (n,)."""
        return self.samples.astype(np.float32) / 32768.0


def pcm16(samples: Pcm32) -> Pcm16:
    """Float samples in [-1, 1] as int16, clipped; shape is kept."""
    return (np.clip(samples, -1.0, 1.0) * 32767.0).astype(np.int16)
