"""Audio as it travels inside Callbox: mono PCM that carries its own sample rate."""

from dataclasses import dataclass, field

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
    _as_float: Pcm32 | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate

    def to_float(self) -> Pcm32:
        """The samples as float32 in [-1, 1), shape (n,): converted once, the same read-only array every time."""
        if self._as_float is None:
            samples = self.samples.astype(np.float32) / np.float32(32768.0)
            samples.flags.writeable = False
            object.__setattr__(self, "_as_float", samples)
            return samples
        return self._as_float


def pcm16(samples: Pcm32) -> Pcm16:
    """Float samples in [-1, 1] as int16, clipped; shape is kept."""
    return (np.clip(samples, -1.0, 1.0) * 32767.0).astype(np.int16)
