"""Sounds that are not speech, synthesized: what every caller can make. Mono float32 at RATE, shape (n,)."""

import numpy as np

from scripts.caller.clock import RATE
from serving.audio import Pcm32


def cough(rng: np.random.Generator) -> Pcm32:
    """Two bursts of band-limited noise with a sharp attack and a slow decay."""
    t = np.arange(int(0.28 * RATE)) / RATE
    burst = rng.normal(size=len(t)) * np.minimum(t / 0.008, 1) * np.exp(-t / 0.07)
    smoothed = np.convolve(burst, np.hanning(9), "same")
    return np.concatenate([smoothed, np.zeros(RATE // 10), 0.7 * smoothed]).astype(np.float32)


def keyboard(rng: np.random.Generator) -> Pcm32:
    """A dozen clicks in two seconds."""
    sound = rng.normal(size=2 * RATE) * 1e-3
    for at in np.sort(rng.integers(0, 2 * RATE - 400, 12)):
        sound[at : at + 400] += rng.normal(size=400) * np.exp(-np.arange(400) / 60)
    return sound.astype(np.float32)


def noise(rng: np.random.Generator) -> Pcm32:
    """Two seconds of noise that falls by 6 dB an octave above 500 Hz, like a busy room."""
    sound, kept = rng.normal(size=2 * RATE), 0.0
    smoothed = np.empty_like(sound)
    for i, x in enumerate(sound):
        kept += 0.18 * (x - kept)
        smoothed[i] = kept
    return smoothed.astype(np.float32)


NOISES = {"[cough]": cough, "[keyboard]": keyboard, "[noise]": noise}
"""By their names in a dialogue."""
