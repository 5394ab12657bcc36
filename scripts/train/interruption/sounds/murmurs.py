"""Murmurs that no synthesizer says well: mm, mm-hmm, uh-huh, hm."""

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from scripts.train.interruption.sounds.synthesis import (
    Signal,
    band,
    contour,
    noise,
    resonate,
    swell,
    voiced,
)
from serving.audio import SPEECH_RATE, Pcm32

Formants = Sequence[tuple[float, float]]
"""Resonances as (Hz, bandwidth in Hz)."""
Syllable = tuple[float, Sequence[float]]
"""Seconds, and pitches in Hz at even distances."""


def hummed(rng: Generator) -> Pcm32:
    """One murmur of one throat, with the mouth closed or on a neutral vowel; peak 1."""
    pitch_hz = float(np.exp(rng.uniform(np.log(85), np.log(270))))
    tract, parts = _tract(rng), list[Signal]()
    for number, syllable in enumerate(_syllables(rng, pitch_hz)):
        if number or rng.random() < 0.15:
            parts.append(_puff(rng, tract))
        parts.append(_tone(rng, tract, syllable))
    sound = np.concatenate(parts)
    strength = rng.uniform(0.001, 0.02)
    breath = band(noise(rng, len(sound) / SPEECH_RATE + 0.01), 200, 5000)[: len(sound)]
    sound = sound + strength * breath * np.std(sound)
    return np.asarray(sound / np.abs(sound).max(), np.float32)


def _tract(rng: Generator) -> Formants:
    size = rng.uniform(0.85, 1.25)
    is_open = rng.random() < 0.3
    if is_open:
        return [(size * rng.uniform(450, 700), 90), (size * rng.uniform(1000, 1400), 130), (size * 2500, 200)]
    return [
        (size * rng.uniform(220, 320), rng.uniform(50, 120)),
        (size * rng.uniform(900, 1300), rng.uniform(200, 500)),
        (size * 2300, 400),
    ]


def _syllables(rng: Generator, pitch_hz: float) -> list[Syllable]:
    """One that glides, or two: a short one, then one that is mostly higher."""
    if rng.random() < 0.45:
        is_wild = rng.random() < 0.5
        steps = rng.uniform(0.8, 1.4, 3) if is_wild else np.array([1, 1.15, rng.uniform(0.75, 0.95)])
        return [(rng.uniform(0.16, 0.6), list(pitch_hz * steps))]
    second_hz = pitch_hz * (rng.uniform(1.05, 1.5) if rng.random() < 0.75 else rng.uniform(0.75, 0.98))
    first_s = rng.uniform(0.1, 0.26)
    first = (first_s, [pitch_hz, pitch_hz * rng.uniform(0.85, 1.05)])
    second_s = rng.uniform(0.12, 0.36)
    return [first, (second_s, [second_hz * rng.uniform(0.85, 1), second_hz, second_hz * rng.uniform(0.85, 1.1)])]


def _puff(rng: Generator, tract: Formants) -> Signal:
    """Breath between or before syllables."""
    puff = resonate(noise(rng, rng.uniform(0.02, 0.1)), tract)
    return puff / np.std(puff) * swell(len(puff), 0.4, 0.4) * rng.uniform(0.02, 0.25)


def _tone(rng: Generator, tract: Formants, syllable: Syllable) -> Signal:
    seconds, pitches_hz = syllable
    pitch = contour(pitches_hz, seconds)
    tone = resonate(voiced(rng, pitch, roughness=rng.uniform(0.005, 0.04), tilt=rng.uniform(1.2, 2.2)), tract)
    shape = swell(len(tone), rng.uniform(0.08, 0.35), rng.uniform(0.15, 0.6))
    return tone / np.std(tone) * shape * rng.uniform(0.7, 1.2)
