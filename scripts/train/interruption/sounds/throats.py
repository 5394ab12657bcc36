"""Sounds of the throat that are not words: coughs, laughs, breaths. Each draws one, at no particular level."""

import numpy as np
from numpy.random import Generator

from scripts.train.interruption.sounds.synthesis import (
    Signal,
    band,
    contour,
    envelope,
    in_a_row,
    noise,
    resonate,
    swell,
    voiced,
    vowel,
)
from serving.audio import SPEECH_RATE


def cough(rng: Generator) -> Signal:
    """One to four bursts of breath, some of them voiced."""
    throat, parts = vowel(rng), []
    for number in range(rng.integers(1, 5)):
        seconds = rng.uniform(0.12, 0.4)
        breath = noise(rng, seconds)
        burst = breath * envelope(len(breath), rng.uniform(0.001, 0.015), rng.uniform(0.03, 0.12))
        sound = resonate(burst, throat) / 4 + band(burst, rng.uniform(100, 800), rng.uniform(2500, 7900)) * rng.uniform(
            0, 1
        )
        if rng.random() < 0.5:
            start = rng.uniform(150, 420)
            tone = voiced(
                rng, contour([start, start * rng.uniform(0.5, 1.1)], seconds), roughness=rng.uniform(0.05, 0.4)
            )
            tone = resonate(tone, throat)
            tone *= envelope(len(tone), rng.uniform(0.01, 0.08), rng.uniform(0.05, 0.15)) / max(
                1e-6, float(np.std(tone))
            )
            sound = sound / np.std(sound) + tone[: len(sound)] * rng.uniform(0.2, 1.2)
        parts.append(sound / np.abs(sound).max() * rng.uniform(0.5, 1) * 0.9**number)
    return in_a_row(rng, parts, (0.02, 0.3))


def throat_clearing(rng: Generator) -> Signal:
    """A rough low rasp, one to three times."""
    parts = []
    for _ in range(rng.integers(1, 4)):
        seconds, pitch = rng.uniform(0.15, 0.6), rng.uniform(70, 190)
        grate = voiced(
            rng,
            contour([pitch, pitch * rng.uniform(0.7, 1.3)], seconds),
            roughness=rng.uniform(0.3, 1.2),
            tilt=1.1,
        )
        rattle = 1 + rng.uniform(0.3, 0.9) * np.sin(
            2 * np.pi * rng.uniform(18, 45) * np.arange(len(grate)) / SPEECH_RATE
        )
        grate = (grate / np.std(grate) + noise(rng, seconds)[: len(grate)] * rng.uniform(0.3, 1.5)) * rattle
        parts.append(resonate(grate, vowel(rng)) * swell(len(grate), rng.uniform(0.05, 0.3), rng.uniform(0.2, 0.6)))
    return in_a_row(rng, [part / np.abs(part).max() for part in parts], (0.03, 0.25))


def laugh(rng: Generator) -> Signal:
    """Syllables of h and a vowel, falling in pitch."""
    throat, pitch, count = vowel(rng), rng.uniform(130, 420), rng.integers(2, 9)
    length, parts = rng.uniform(0.1, 0.17), []
    for number in range(count):
        breath = band(noise(rng, length * rng.uniform(0.3, 0.7)), 400, 5000)
        breath = resonate(breath, throat) * swell(len(breath), 0.4, 0.3)
        tone = voiced(rng, contour([pitch * 1.1, pitch * 0.85], length * rng.uniform(0.4, 0.8)), roughness=0.08)
        tone = resonate(tone, throat) * swell(len(tone), 0.3, 0.5)
        level = 0.92**number
        parts += [breath / np.std(breath) * 0.08 * level, tone / np.std(tone) * rng.uniform(0.05, 0.3) * level]
        pitch *= rng.uniform(0.92, 1.03)
    return np.concatenate(parts)


def breath(rng: Generator) -> Signal:
    """In or out, through mouth or nose."""
    air = noise(rng, rng.uniform(0.25, 1.4))
    air = resonate(air, vowel(rng)) / 3 + band(air, rng.uniform(150, 900), rng.uniform(1500, 7500)) * rng.uniform(
        0.1, 1
    )
    return air * swell(len(air), rng.uniform(0.1, 0.7), rng.uniform(0.2, 0.7))


def sniff(rng: Generator) -> Signal:
    """Short breaths in through the nose."""
    parts = []
    for _ in range(rng.integers(1, 4)):
        air = band(noise(rng, rng.uniform(0.12, 0.4)), rng.uniform(300, 1500), rng.uniform(3000, 7900))
        parts.append(air * swell(len(air), rng.uniform(0.2, 0.8), rng.uniform(0.1, 0.4)))
    return in_a_row(rng, parts, (0.1, 0.4))


def sneeze(rng: Generator) -> Signal:
    """A breath in, then a burst."""
    into = noise(rng, rng.uniform(0.2, 0.6))
    into = resonate(into, vowel(rng)) * swell(len(into), 0.8, 0.1)
    out = noise(rng, rng.uniform(0.2, 0.5))
    out = band(out, rng.uniform(500, 2000), 7900) * envelope(len(out), rng.uniform(0.002, 0.02), rng.uniform(0.06, 0.2))
    return in_a_row(rng, [into / np.std(into) * 0.1, out / np.std(out)], (0.01, 0.12))


def smack(rng: Generator) -> Signal:
    """Lips or tongue: clicks with a resonance."""
    parts = []
    for _ in range(rng.integers(1, 5)):
        click = noise(rng, rng.uniform(0.01, 0.06))
        click = resonate(
            click * envelope(len(click), 0.001, rng.uniform(0.003, 0.02)),
            [(rng.uniform(800, 3500), rng.uniform(100, 600))],
        )
        parts.append(click / np.abs(click).max())
    return in_a_row(rng, parts, (0.05, 0.4))
