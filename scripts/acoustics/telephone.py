"""A telephone line: 8 kHz, a narrow band and G.711. The benches, the tests and the training all call this one.

    heard = telephone(spoken)        # 300-3400 Hz, mu-law

Sound is mono in [-1, 1], shape (n,).
"""

import audioop
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr
from scipy.signal import butter, resample_poly, sosfilt

from serving.audio import SPEECH_RATE, Pcm32, pcm16

TELEPHONE_RATE = 8_000

Signal = npt.NDArray[np.floating[Any]]
Sections = npt.NDArray[np.float64]
"""A filter as second-order sections, shape (k, 6)."""
Codec = Callable[[Signal], Signal]
"""Encodes and decodes sound at TELEPHONE_RATE."""
Resampler = Callable[[Signal, int, int], Signal]
"""Takes the sound, its rate and the new rate, both in Hz."""


def band_pass(low_hz: float, high_hz: float) -> Sections:
    """A telephone's band, fourth order, at TELEPHONE_RATE."""
    return np.asarray(butter(4, (low_hz, high_hz), "bandpass", fs=TELEPHONE_RATE, output="sos"))


def g711(sound: Signal) -> Signal:
    """There and back through G.711 mu-law as exchanges compute it, in piecewise linear segments."""
    coded = audioop.lin2ulaw(pcm16(sound.astype(np.float32)).tobytes(), 2)
    return np.frombuffer(audioop.ulaw2lin(coded, 2), np.int16).astype(np.float32) / 32768


def mu_law(sound: Signal) -> Signal:
    """There and back through 255 levels along the mu-law curve itself, which G.711 approximates."""
    packed = np.sign(sound) * np.log1p(255 * np.abs(sound)) / math.log(256)
    coarse = np.round(packed * 127) / 127
    return np.asarray(np.sign(coarse) * np.expm1(np.abs(coarse) * math.log(256)) / 255)


def a_law(sound: Signal) -> Signal:
    """There and back through 255 levels along the A-law curve, which Europe's exchanges approximate."""
    size, scale = np.abs(sound), 1 + math.log(87.6)
    packed = np.where(size < 1 / 87.6, 87.6 * size, 1 + np.log(np.maximum(87.6 * size, 1))) / scale
    coarse = np.round(packed * 127) / 127 * scale
    return np.asarray(np.sign(sound) * np.where(coarse < 1, coarse / 87.6, np.exp(coarse - 1) / 87.6))


def by_soxr(sound: Signal, from_hz: int, to_hz: int) -> Signal:
    """Resampled with a steep filter, in float32."""
    return np.asarray(soxr.resample(sound.astype(np.float32), from_hz, to_hz))


def by_polyphase(sound: Signal, from_hz: int, to_hz: int) -> Signal:
    """Resampled with a short filter, whose slopes reach beyond half the lower rate."""
    return np.asarray(resample_poly(sound, to_hz, from_hz))


VOICE_BAND = band_pass(300, 3400)


def telephone(
    sound: Signal, *, band: Sections | None = VOICE_BAND, codec: Codec = g711, resample: Resampler = by_soxr
) -> Pcm32:
    """What arrives of sound at SPEECH_RATE, at SPEECH_RATE again and as long; clipped at full scale.

    The defaults are the line that the benches measure on. `band` is None where the caller has filtered the sound already.
    """
    narrow = resample(sound, SPEECH_RATE, TELEPHONE_RATE)
    if band is not None:
        narrow = np.asarray(sosfilt(band, narrow))
    wide = resample(codec(np.clip(narrow, -1.0, 1.0)), TELEPHONE_RATE, SPEECH_RATE)[: len(sound)]
    return np.pad(wide, (0, len(sound) - len(wide))).astype(np.float32)
