"""Tells the agent's echo from a caller by spectral envelopes, which hold where a filter does not: a delay that wanders, a
loudspeaker that distorts, a stutter.

After Faller & Chen, "Suppressing acoustic echo in a spectral envelope space", IEEE Trans. Speech and Audio Processing 13,
2005: the most that the echo can have in a band now follows from the played voice's envelope; what the line has beyond it is
the caller's.
"""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from agent.turns.echo.linear import BLOCK_SAMPLES
from serving.audio import SPEECH_RATE, Pcm32

BANDS = 20
"""Of equal width in mel, between these:"""
LOWEST_HZ, HIGHEST_HZ = 200.0, 5000.0
DECAY_DB = 1.5
"""Of a block's echo in the next one, at least: rooms of up to 0.8 s."""
WANDER_BLOCKS = 3
"""The delay is known to within so much."""
LONGEST_BLOCKS = SPEECH_RATE // BLOCK_SAMPLES + WANDER_BLOCKS + 1
LEARNT_BLOCKS = 100
"""A band's gain is taken from so many blocks of echo."""
LEARN_EVERY_BLOCKS = 5
FEWEST_BLOCKS = 40
"""Before, what is heard in step with the voice is taken for its echo."""
QUANTILE = 0.9
"""Of the ratios of line to played envelope."""
MARGIN_DB = 2.0
"""The echo may have so much more;"""
YOUNG_MARGIN_DB = 6.0
"""and up to so much more again while only some of LEARNT_BLOCKS are known."""
FLOOR = 3e-7
"""Band power that is nobody's speech."""
CALLER_SHARE = 0.35
"""The caller is heard when so much of the line's power is beyond the echo's, and is left by the linear filter."""
CALLER_POWER = 1e-5
"""-50 dBFS: less is nobody's speech."""

_Bands = npt.NDArray[np.float32]


def _band_matrix() -> _Bands:
    """Sums bins of a frame of two blocks to BANDS bands of equal width in mel, shape (bins, BANDS)."""
    hz = np.fft.rfftfreq(2 * BLOCK_SAMPLES, 1 / SPEECH_RATE)
    mel = 2595 * np.log10(1 + np.array([LOWEST_HZ, HIGHEST_HZ]) / 700)
    edges = 700 * (10 ** (np.linspace(mel[0], mel[1], BANDS + 1) / 2595) - 1)
    return np.stack([(hz >= low) & (hz < high) for low, high in pairwise(edges)], axis=1).astype(np.float32)


class _Envelope:
    """Band powers of one sound."""

    def __init__(self) -> None:
        self._matrix = _band_matrix()
        self._window = np.hanning(2 * BLOCK_SAMPLES).astype(np.float32)
        self._scale = np.float32(1 / (np.sum(self._window**2) * BLOCK_SAMPLES))
        self._last = np.zeros(BLOCK_SAMPLES, np.float32)

    def push(self, block: Pcm32) -> _Bands:
        spectrum = np.fft.rfft(np.concatenate((self._last, block)) * self._window)
        self._last = block
        return (np.abs(spectrum) ** 2 @ self._matrix * self._scale).astype(np.float32)


class EchoEnvelope:
    """One line. Feed it block by block what was played and what was heard."""

    def __init__(self) -> None:
        self._played, self._line = _Envelope(), _Envelope()
        self._sources = np.zeros((LONGEST_BLOCKS, BANDS), np.float32)
        """Envelopes of what was played, reverberated; newest first."""
        self._lines = np.zeros((LEARNT_BLOCKS, BANDS), np.float32)
        self._bounds = np.zeros((LEARNT_BLOCKS, BANDS), np.float32)
        self._learnt = 0
        self._gain: _Bands | None = None

    def push(self, played: Pcm32, line: Pcm32, delay_samples: int | None) -> bool:
        """Whether the line's sound is more than the echo; True where no echo is known yet."""
        self._sources[1:] = self._sources[:-1].copy()
        self._sources[0] = np.maximum(self._played.push(played), self._sources[1] * 10 ** (-DECAY_DB / 10))
        bands = self._line.push(line)
        if delay_samples is None:
            return True
        middle = round(delay_samples / BLOCK_SAMPLES)
        source = self._sources[max(0, middle - WANDER_BLOCKS) : middle + WANDER_BLOCKS + 1].max(axis=0)
        is_caller = self._judge(bands, source)
        self._learn(bands, source, is_caller)
        return is_caller

    def _judge(self, bands: _Bands, source: _Bands) -> bool:
        if self._gain is None:
            return bool(source.sum() < CALLER_POWER)
        young = max(0.0, 1 - self._learnt / LEARNT_BLOCKS)
        echo = 10 ** ((MARGIN_DB + young * YOUNG_MARGIN_DB) / 10) * self._gain * source
        beyond = float(np.maximum(bands - echo - FLOOR, 0).sum())
        return beyond > CALLER_POWER and beyond > CALLER_SHARE * float(bands.sum())

    def _learn(self, bands: _Bands, source: _Bands, is_caller: bool) -> None:
        if is_caller or source.sum() < CALLER_POWER:
            return
        at = self._learnt % LEARNT_BLOCKS
        self._lines[at], self._bounds[at] = bands, source
        self._learnt += 1
        if self._learnt >= FEWEST_BLOCKS and self._learnt % LEARN_EVERY_BLOCKS == 0:
            known = slice(0, min(self._learnt, LEARNT_BLOCKS))
            ratio = self._lines[known] / (self._bounds[known] + FLOOR)
            self._gain = np.quantile(ratio, QUANTILE, axis=0).astype(np.float32)
