"""Noises to measure with, synthesized in other ways than those that the interruption model is trained on.

Each function draws one sound of random shape: float32 at SPEECH_RATE, shape (n,), peak 1.
"""

from collections.abc import Callable

import numpy as np
from scipy.signal import butter, sosfilt

from serving.audio import SPEECH_RATE, Pcm32

Rng = np.random.Generator


def cough(rng: Rng) -> Pcm32:
    """One to three bursts: a crack, then fading breath, brighter at the start."""
    bursts = []
    for number in range(rng.integers(1, 4)):
        count = round(rng.uniform(0.16, 0.36) * SPEECH_RATE)
        t = np.arange(count) / SPEECH_RATE
        bright = _band(rng.normal(size=count), 900, rng.uniform(3500, 7000)) * np.exp(-t / 0.025)
        dull = _band(rng.normal(size=count), 250, rng.uniform(1200, 2200)) * np.exp(-t / rng.uniform(0.06, 0.11))
        bursts += [(bright + 0.8 * dull) * np.minimum(t / 0.004, 1) * 0.85**number]
        bursts += [np.zeros(round(rng.uniform(0.05, 0.2) * SPEECH_RATE))]
    return _peaked(np.concatenate(bursts[:-1]))


def throat(rng: Rng) -> Pcm32:
    """Throat clearing: irregular pulses through two resonances, and breath."""
    count = round(rng.uniform(0.35, 0.8) * SPEECH_RATE)
    pulses, place = np.zeros(count), 0.0
    while place < count:
        pulses[int(place)] = rng.uniform(0.4, 1)
        place += SPEECH_RATE / rng.uniform(60, 120)
    creak = _band(pulses, 350, 900) * 2 + _band(pulses, 1100, 1900)
    breath = 0.25 * np.std(creak) * _band(rng.normal(size=count), 400, 3000) / 0.5
    return _peaked((creak + breath) * np.hanning(count) ** 0.5)


def laugh(rng: Rng) -> Pcm32:
    """Breathy syllables at a steady rate, each lower and softer than the one before."""
    pitch, rate, syllables = rng.uniform(160, 350), rng.uniform(4.5, 6), []
    for number in range(rng.integers(3, 7)):
        count = round(SPEECH_RATE / rate)
        t = np.arange(count) / SPEECH_RATE
        tone = np.sign(np.sin(2 * np.pi * pitch * 0.95**number * t)) + rng.normal(size=count)
        shape = np.clip(np.sin(np.pi * t * rate) - 0.3, 0, 1)
        syllables.append(_band(tone, 450, 1500) * shape * 0.9**number)
    return _peaked(np.concatenate(syllables))


def breath(rng: Rng) -> Pcm32:
    """Breathing into the microphone, slowly swelling."""
    count = round(rng.uniform(0.5, 1.2) * SPEECH_RATE)
    return _peaked(_band(rng.normal(size=count), 200, rng.uniform(2000, 5000)) * np.hanning(count))


def keyboard(rng: Rng) -> Pcm32:
    """Clicks of 25 ms at a typist's pace."""
    sound = rng.normal(size=round(1.5 * SPEECH_RATE)) * 1e-3
    for at in np.sort(rng.integers(0, len(sound) - 400, rng.integers(6, 14))):
        sound[at : at + 400] += (
            rng.uniform(0.4, 1) * rng.normal(size=400) * np.exp(-np.arange(400) / rng.uniform(30, 90))
        )
    return _peaked(sound)


def door(rng: Rng) -> Pcm32:
    """A heavy low thud, then the click of the latch."""
    count = round(0.6 * SPEECH_RATE)
    t = np.arange(count) / SPEECH_RATE
    blow = sum(np.sin(2 * np.pi * f * t) * np.exp(-t / rng.uniform(0.03, 0.1)) for f in rng.uniform(60, 400, 4))
    sound = np.asarray(blow) + 0.6 * rng.normal(size=count) * np.exp(-t / 0.012)
    latch = round(rng.uniform(0.08, 0.3) * SPEECH_RATE)
    sound[latch : latch + 200] += rng.normal(size=200) * np.exp(-np.arange(200) / 40)
    return _peaked(sound)


def paper(rng: Rng) -> Pcm32:
    """Turning pages: gusts of crackling noise."""
    count = round(rng.uniform(0.6, 1.3) * SPEECH_RATE)
    crackle = _band(rng.normal(size=count) * (rng.random(count) < 0.05), 1500, 7000)
    gusts = np.interp(np.arange(count), np.linspace(0, count, 9), rng.random(9) ** 2)
    return _peaked((crackle + 0.1 * _band(rng.normal(size=count), 2000, 7000)) * gusts)


def jingle(rng: Rng) -> Pcm32:
    """Plucked notes of a pentatonic scale, as between two radio programmes."""
    sound, root = np.zeros(round(1.8 * SPEECH_RATE)), rng.uniform(180, 420)
    for number in range(8):
        t = np.arange(len(sound) - round(number * 0.2 * SPEECH_RATE)) / SPEECH_RATE
        pitch = root * 2 ** (rng.choice([0, 3, 5, 7, 10, 12]) / 12)
        note = sum(np.sin(2 * np.pi * k * pitch * t) / k**1.5 for k in (1, 2, 3, 4)) * np.exp(-t / 0.25)
        sound[-len(t) :] += np.asarray(note)
    return _peaked(sound)


def hum(rng: Rng) -> Pcm32:
    """A hum with the mouth closed: a muffled triangle wave, falling, or low and then high."""
    pitch, is_double = rng.uniform(95, 240), rng.random() < 0.6
    lengths = (rng.uniform(0.14, 0.22), rng.uniform(0.18, 0.3)) if is_double else (rng.uniform(0.25, 0.5),)
    parts = []
    for number, seconds in enumerate(lengths):
        count = round(seconds * SPEECH_RATE)
        glide = np.linspace(1.0, 1.05 if is_double else rng.uniform(0.8, 0.95), count) * (1.25 if number else 1.0)
        wave = 2 * np.abs(2 * (np.cumsum(pitch * glide) / SPEECH_RATE % 1) - 1) - 1
        parts += [
            _band(wave, 80, rng.uniform(500, 900)) * np.hanning(count) ** 0.4,
            np.zeros(round(0.03 * SPEECH_RATE)),
        ]
    sound = np.concatenate(parts[:-1])
    return _peaked(sound + 0.003 * rng.normal(size=len(sound)))


THROATS: tuple[Callable[[Rng], Pcm32], ...] = (cough, cough, throat, laugh, breath)
THINGS: tuple[Callable[[Rng], Pcm32], ...] = (keyboard, door, paper, jingle)


def _band(sound: np.ndarray, low_hz: float, high_hz: float) -> np.ndarray:
    return np.asarray(sosfilt(butter(2, (low_hz, high_hz), "bandpass", fs=SPEECH_RATE, output="sos"), sound))


def _peaked(sound: np.ndarray) -> Pcm32:
    return np.asarray(sound / np.abs(sound).max(), dtype=np.float32)
