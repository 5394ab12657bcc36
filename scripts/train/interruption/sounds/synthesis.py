"""The building blocks of synthesized sounds: noise, bands, resonances, a voice and how it rises and falls.

All at SPEECH_RATE, shape (n,).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.signal import butter, lfilter, sosfilt

from serving.audio import SPEECH_RATE

Signal = NDArray[np.float64]


def noise(rng: Generator, seconds: float) -> Signal:
    """White noise with a standard deviation of 1."""
    return rng.standard_normal(max(8, int(seconds * SPEECH_RATE)))


def band(signal: NDArray[np.floating[Any]], low_hz: float, high_hz: float, order: int = 2) -> Signal:
    """Limited to a band; 0 or 8,000 leaves that side open."""
    if low_hz > 20:
        signal = sosfilt(butter(order, low_hz, "high", fs=SPEECH_RATE, output="sos"), signal)
    if high_hz < 7900:
        signal = sosfilt(butter(order, high_hz, "low", fs=SPEECH_RATE, output="sos"), signal)
    return np.asarray(signal)


def resonate(signal: Signal, formants: Sequence[tuple[float, float]]) -> Signal:
    """Through a series of resonances, each (Hz, bandwidth in Hz)."""
    for centre, width in formants:
        radius = np.exp(-np.pi * width / SPEECH_RATE)
        poles = [1.0, -2 * radius * np.cos(2 * np.pi * centre / SPEECH_RATE), radius**2]
        signal = lfilter([sum(poles)], poles, signal)
    return np.asarray(signal)


def voiced(rng: Generator, pitch_hz: Signal, *, roughness: float = 0.02, tilt: float = 1.5) -> Signal:
    """A glottal source along a pitch contour; `tilt` is the fall-off of the harmonics, where 2 is 12 dB an octave."""
    walk = np.cumsum(rng.standard_normal(len(pitch_hz))) / np.sqrt(SPEECH_RATE / 8)
    walk -= np.linspace(walk[0], walk[-1], len(walk))
    phase = np.cumsum(pitch_hz * (1 + roughness * walk)) / SPEECH_RATE * 2 * np.pi
    count = int(min(60, 7000 / max(60.0, float(pitch_hz.max()))))
    strengths = np.arange(1, count + 1) ** -tilt * rng.uniform(0.7, 1.3, count)
    angles = rng.uniform(0, 0.5, count)
    return np.asarray(sum(s * np.sin(k * phase + a) for k, (s, a) in enumerate(zip(strengths, angles, strict=True), 1)))


def contour(points: Sequence[float], seconds: float) -> Signal:
    """A smooth line through evenly spaced values."""
    count = max(8, int(seconds * SPEECH_RATE))
    places = np.linspace(0, 1, len(points))
    line = np.interp(np.linspace(0, 1, count), places, points)
    width = max(1, count // 8)
    padded = np.pad(line, width, mode="edge")
    return np.asarray(np.convolve(padded, np.ones(width) / width, "same")[width:-width])


def envelope(count: int, attack_s: float, decay_s: float) -> Signal:
    """A linear attack and an exponential decay."""
    times = np.arange(count) / SPEECH_RATE
    return np.asarray(np.minimum(times / max(attack_s, 1e-4), 1.0) * np.exp(-np.maximum(0, times - attack_s) / decay_s))


def swell(count: int, attack: float, release: float) -> Signal:
    """A cosine rise and fall, each given as a share of the length."""
    places = np.linspace(0, 1, count)
    rise = 0.5 - 0.5 * np.cos(np.pi * np.minimum(places / attack, 1))
    fall = 0.5 - 0.5 * np.cos(np.pi * np.minimum((1 - places) / release, 1))
    return np.asarray(rise * fall)


def in_a_row(rng: Generator, parts: Sequence[Signal], gap_s: tuple[float, float]) -> Signal:
    """One after the other, with random gaps."""
    pieces: list[Signal] = []
    for part in parts:
        pieces += [part, np.zeros(int(rng.uniform(*gap_s) * SPEECH_RATE))]
    return np.concatenate(pieces[:-1])


def vowel(rng: Generator) -> list[tuple[float, float]]:
    """Formants of a random vowel in a random vocal tract."""
    size = rng.uniform(0.85, 1.25)
    return [
        (size * rng.uniform(350, 800), rng.uniform(60, 140)),
        (size * rng.uniform(900, 2000), rng.uniform(80, 200)),
        (size * rng.uniform(2300, 2900), rng.uniform(120, 300)),
    ]
