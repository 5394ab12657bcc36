"""Sounds of hands, rooms, machines, animals and of the line itself. Each draws one, at no particular level."""

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


def _struck(rng: Generator, low_hz: float, high_hz: float, ring_s: float, modes: int) -> Signal:
    """The damped modes of something that is hit, and the noise of the hit."""
    count = int(min(1.2, 5 * ring_s + 0.02) * SPEECH_RATE)
    times, sound = np.arange(count) / SPEECH_RATE, np.zeros(count)
    for _ in range(modes):
        hertz = np.exp(rng.uniform(np.log(low_hz), np.log(high_hz)))
        sound += (
            rng.uniform(0.2, 1)
            * np.sin(2 * np.pi * hertz * times + rng.uniform(0, 6))
            * np.exp(-times / (ring_s * rng.uniform(0.3, 1.2)))
        )
    hit = band(rng.standard_normal(count), low_hz, min(7900, 3 * high_hz)) * envelope(
        count, 0.0005, rng.uniform(0.002, 0.02)
    )
    sound = sound / np.abs(sound).max() + hit / np.abs(hit).max() * rng.uniform(0.2, 2)
    return np.asarray(sound / np.abs(sound).max())


def keyboard(rng: Generator) -> Signal:
    """Uneven typing: clicks as keys go down and up."""
    low, high, ring = rng.uniform(200, 1500), rng.uniform(2000, 7000), rng.uniform(0.003, 0.025)
    sound, place = np.zeros(int(rng.uniform(0.4, 2.2) * SPEECH_RATE)), 0
    while place < len(sound):
        for delay_s, level in ((0, rng.uniform(0.3, 1)), (rng.uniform(0.04, 0.12), rng.uniform(0.1, 0.6))):
            click = _struck(rng, low, high, ring, 4) * level
            start = place + int(delay_s * SPEECH_RATE)
            end = min(len(sound), start + len(click))
            if end > start:
                sound[start:end] += click[: end - start]
        place += int(rng.gamma(4, rng.uniform(0.02, 0.06)) * SPEECH_RATE) + 400
    return sound


def knocks(rng: Generator) -> Signal:
    """One to six blows: a door, a drawer, something dropped, footsteps, a table."""
    low, high, ring = rng.uniform(40, 300), rng.uniform(400, 3000), rng.uniform(0.01, 0.15)
    blows = [_struck(rng, low, high, ring, 6) * rng.uniform(0.4, 1) for _ in range(rng.integers(1, 7))]
    return in_a_row(rng, blows, (0.01, 0.45))


def clinks(rng: Generator) -> Signal:
    """Dishes, keys, a glass."""
    low, ring = rng.uniform(1200, 3000), rng.uniform(0.02, 0.25)
    return in_a_row(
        rng, [_struck(rng, low, 7500, ring, 5) * rng.uniform(0.2, 1) for _ in range(rng.integers(1, 6))], (0.0, 0.3)
    )


def paper(rng: Generator) -> Signal:
    """Paper, clothes or a bag: grains of high-pitched noise."""
    rustle = band(noise(rng, rng.uniform(0.3, 1.8)), rng.uniform(500, 2500), rng.uniform(4000, 7900))
    grains = rng.gamma(rng.uniform(0.15, 0.8), 1, len(rustle) // rng.integers(60, 600) + 2)
    strength = np.interp(np.arange(len(rustle)), np.linspace(0, len(rustle), len(grains)), grains)
    return rustle * strength * swell(len(rustle), 0.2, 0.4)


def squeak(rng: Generator) -> Signal:
    """A door or a chair: a rough, gliding tone."""
    seconds, start = rng.uniform(0.2, 1.0), rng.uniform(250, 1800)
    tone = voiced(
        rng,
        contour(list(start * rng.uniform(0.6, 1.6, 4)), seconds),
        roughness=rng.uniform(0.02, 0.5),
        tilt=rng.uniform(0.5, 1.5),
    )
    return tone * swell(len(tone), rng.uniform(0.1, 0.5), rng.uniform(0.1, 0.5)) * rng.uniform(0.5, 1, len(tone))


def machine(rng: Generator) -> Signal:
    """Mains hum, a fan, a motor, a vacuum cleaner or traffic: steady tones and noise that switch on or swell."""
    seconds, base = rng.uniform(0.6, 2.2), rng.choice([50.0, 60.0, 100.0, 120.0, rng.uniform(60, 500)])
    tone = voiced(
        rng,
        contour(list(base * rng.uniform(0.97, 1.03, 3)), seconds),
        roughness=rng.uniform(0, 0.03),
        tilt=rng.uniform(0.3, 1.5),
    )
    air = band(noise(rng, seconds), rng.uniform(0, 300), rng.uniform(500, 6000), order=1)
    mixed = tone / np.std(tone) * rng.uniform(0, 1) + air[: len(tone)] / np.std(air) * rng.uniform(0.2, 1)
    return mixed * swell(len(mixed), rng.uniform(0.01, 0.6), rng.uniform(0.02, 0.5))


def tones(rng: Generator) -> Signal:
    """Telephone keys, ringing, notifications, alarms."""
    parts = []
    pair, length = rng.uniform(350, 2500, 2), rng.uniform(0.05, 0.5)
    for _ in range(rng.integers(1, 6)):
        if rng.random() < 0.5:
            pair = rng.uniform(350, 2500, 2)
        times = np.arange(int(length * SPEECH_RATE)) / SPEECH_RATE
        tone = np.sin(2 * np.pi * pair[0] * times) + rng.uniform(0, 1) * np.sin(2 * np.pi * pair[1] * times)
        if rng.random() < 0.3:
            tone *= np.exp(-times / rng.uniform(0.05, 0.3))
        parts.append(tone * swell(len(tone), 0.02, 0.03))
    return in_a_row(rng, parts, (0.01, 0.3))


def music(rng: Generator) -> Signal:
    """Notes and chords of an instrument over a beat."""
    sound = np.zeros(int(rng.uniform(1.0, 2.3) * SPEECH_RATE))
    beat_s, tilt, root = rng.uniform(0.12, 0.5), rng.uniform(0.6, 2.2), rng.uniform(80, 500)
    decay, attack = rng.uniform(0.08, 0.8), rng.uniform(0.003, 0.08)
    scale = 2 ** (rng.choice([0, 2, 4, 5, 7, 9, 11, 12, 14, 16], 40) / 12)
    place, number = 0.0, 0
    while place < len(sound) / SPEECH_RATE:
        for _ in range(rng.integers(1, 4)):
            pitch = root * scale[number % len(scale)]
            number += 1
            note = voiced(rng, np.full(int(min(1.2, 3 * decay) * SPEECH_RATE) + 8, pitch), roughness=0.001, tilt=tilt)
            note *= envelope(len(note), attack, decay)
            start = int(place * SPEECH_RATE)
            end = min(len(sound), start + len(note))
            sound[start:end] += note[: end - start]
        if rng.random() < 0.5:
            hit = band(noise(rng, 0.08), rng.choice([0, 2000, 5000]), 7900)
            hit *= envelope(len(hit), 0.001, rng.uniform(0.01, 0.04))
            start = int(place * SPEECH_RATE)
            end = min(len(sound), start + len(hit))
            sound[start:end] += hit[: end - start] * rng.uniform(0.1, 0.8)
        place += beat_s * rng.choice([0.5, 1, 1, 2])
    return sound


def animal(rng: Generator) -> Signal:
    """A dog, a bird or a baby: cries of gliding pitch."""
    kind, parts = rng.integers(3), []
    for _ in range(rng.integers(1, 5)):
        low, high, seconds, rough = (
            (250, 700, (0.1, 0.3), 0.4),
            (1800, 4500, (0.05, 0.3), 0.02),
            (350, 650, (0.4, 1.2), 0.06),
        )[kind]
        pitch = rng.uniform(low, high)
        tone = voiced(
            rng,
            contour(list(pitch * rng.uniform(0.75, 1.25, 3)), rng.uniform(*seconds)),
            roughness=rough,
            tilt=1.0,
        )
        if kind != 1:
            tone = resonate(tone, vowel(rng))
        parts.append(tone / np.std(tone) * swell(len(tone), rng.uniform(0.05, 0.3), rng.uniform(0.2, 0.5)))
    return in_a_row(rng, parts, (0.05, 0.4))


def line_fault(rng: Generator) -> Signal:
    """Crackles, wind, or a bump of the microphone."""
    kind = rng.integers(3)
    if kind == 0:
        sound = noise(rng, rng.uniform(0.2, 1.5))
        return sound * (rng.random(len(sound)) < rng.uniform(0.0005, 0.02))
    if kind == 1:
        wind = band(noise(rng, rng.uniform(0.4, 2.0)), 0, rng.uniform(150, 900), order=1)
        gusts = contour(list(rng.gamma(1, 1, 6)), len(wind) / SPEECH_RATE)
        return wind[: len(gusts)] * gusts[: len(wind)]
    bump = band(noise(rng, rng.uniform(0.05, 0.4)), 0, rng.uniform(100, 500))
    return bump * envelope(len(bump), rng.uniform(0.002, 0.03), rng.uniform(0.02, 0.12))
