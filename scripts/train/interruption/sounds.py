"""Sounds over a telephone that are no words: throats, hands, rooms, machines; and murmurs hummed with a closed mouth.

Every function draws one sound of random shape: float32 at 16 kHz, shape (n,), not levelled.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.signal import butter, lfilter, sosfilt

from serving.audio import SPEECH_RATE, Pcm32

Signal = NDArray[np.float64]


# Building blocks


def noise(rng: Generator, seconds: float) -> Signal:
    """White, of standard deviation 1."""
    return rng.standard_normal(max(8, int(seconds * SPEECH_RATE)))


def band(signal: Signal, low_hz: float, high_hz: float, order: int = 2) -> Signal:
    """Kept between two frequencies; 0 and 8,000 leave that side open."""
    if low_hz > 20:
        signal = sosfilt(butter(order, low_hz, "high", fs=SPEECH_RATE, output="sos"), signal)
    if high_hz < 7900:
        signal = sosfilt(butter(order, high_hz, "low", fs=SPEECH_RATE, output="sos"), signal)
    return np.asarray(signal)


def resonate(signal: Signal, formants: Sequence[tuple[float, float]]) -> Signal:
    """Through resonances in a row, each (Hz, bandwidth in Hz)."""
    for centre, width in formants:
        radius = np.exp(-np.pi * width / SPEECH_RATE)
        poles = [1.0, -2 * radius * np.cos(2 * np.pi * centre / SPEECH_RATE), radius**2]
        signal = lfilter([sum(poles)], poles, signal)
    return np.asarray(signal)


def voiced(rng: Generator, pitch_hz: Signal, *, roughness: float = 0.02, tilt: float = 1.5) -> Signal:
    """A glottal source along a pitch contour; `tilt` is the fall of the harmonics, 2 is 12 dB an octave."""
    walk = np.cumsum(rng.standard_normal(len(pitch_hz))) / np.sqrt(SPEECH_RATE / 8)
    walk -= np.linspace(walk[0], walk[-1], len(walk))
    phase = np.cumsum(pitch_hz * (1 + roughness * walk)) / SPEECH_RATE * 2 * np.pi
    count = int(min(60, 7000 / max(60.0, float(pitch_hz.max()))))
    strengths = np.arange(1, count + 1) ** -tilt * rng.uniform(0.7, 1.3, count)
    angles = rng.uniform(0, 0.5, count)
    return np.asarray(sum(s * np.sin(k * phase + a) for k, (s, a) in enumerate(zip(strengths, angles, strict=True), 1)))


def contour(rng: Generator, points: Sequence[float], seconds: float) -> Signal:
    """A smooth line through values at even distances."""
    count = max(8, int(seconds * SPEECH_RATE))
    places = np.linspace(0, 1, len(points))
    line = np.interp(np.linspace(0, 1, count), places, points)
    width = max(1, count // 8)
    padded = np.pad(line, width, mode="edge")
    return np.asarray(np.convolve(padded, np.ones(width) / width, "same")[width:-width])


def envelope(count: int, attack_s: float, decay_s: float) -> Signal:
    """Rises straight, falls exponentially."""
    times = np.arange(count) / SPEECH_RATE
    return np.asarray(np.minimum(times / max(attack_s, 1e-4), 1.0) * np.exp(-np.maximum(0, times - attack_s) / decay_s))


def swell(count: int, attack: float, release: float) -> Signal:
    """Rises and falls like a cosine; both as shares of the length."""
    places = np.linspace(0, 1, count)
    rise = 0.5 - 0.5 * np.cos(np.pi * np.minimum(places / attack, 1))
    fall = 0.5 - 0.5 * np.cos(np.pi * np.minimum((1 - places) / release, 1))
    return np.asarray(rise * fall)


def in_a_row(rng: Generator, parts: Sequence[Signal], gap_s: tuple[float, float]) -> Signal:
    """One after the other with gaps of random length."""
    pieces: list[Signal] = []
    for part in parts:
        pieces += [part, np.zeros(int(rng.uniform(*gap_s) * SPEECH_RATE))]
    return np.concatenate(pieces[:-1])


def vowel(rng: Generator) -> list[tuple[float, float]]:
    """Formants of some vowel of some throat."""
    size = rng.uniform(0.85, 1.25)
    return [
        (size * rng.uniform(350, 800), rng.uniform(60, 140)),
        (size * rng.uniform(900, 2000), rng.uniform(80, 200)),
        (size * rng.uniform(2300, 2900), rng.uniform(120, 300)),
    ]


# Throats


def cough(rng: Generator) -> Signal:
    """One to four explosions of breath, some with a voice in them."""
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
                rng, contour(rng, [start, start * rng.uniform(0.5, 1.1)], seconds), roughness=rng.uniform(0.05, 0.4)
            )
            tone = resonate(tone, throat)
            tone *= envelope(len(tone), rng.uniform(0.01, 0.08), rng.uniform(0.05, 0.15)) / max(1e-6, np.std(tone))
            sound = sound / np.std(sound) + tone[: len(sound)] * rng.uniform(0.2, 1.2)
        parts.append(sound / np.abs(sound).max() * rng.uniform(0.5, 1) * 0.9**number)
    return in_a_row(rng, parts, (0.02, 0.3))


def throat_clearing(rng: Generator) -> Signal:
    """A rough low grating, once or twice."""
    parts = []
    for _ in range(rng.integers(1, 4)):
        seconds, pitch = rng.uniform(0.15, 0.6), rng.uniform(70, 190)
        grate = voiced(
            rng,
            contour(rng, [pitch, pitch * rng.uniform(0.7, 1.3)], seconds),
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
    """Syllables of h and a vowel, four to seven a second, falling."""
    throat, pitch, count = vowel(rng), rng.uniform(130, 420), rng.integers(2, 9)
    length, parts = rng.uniform(0.1, 0.17), []
    for number in range(count):
        breath = band(noise(rng, length * rng.uniform(0.3, 0.7)), 400, 5000)
        breath = resonate(breath, throat) * swell(len(breath), 0.4, 0.3)
        tone = voiced(rng, contour(rng, [pitch * 1.1, pitch * 0.85], length * rng.uniform(0.4, 0.8)), roughness=0.08)
        tone = resonate(tone, throat) * swell(len(tone), 0.3, 0.5)
        level = 0.92**number
        parts += [breath / np.std(breath) * 0.08 * level, tone / np.std(tone) * rng.uniform(0.05, 0.3) * level]
        pitch *= rng.uniform(0.92, 1.03)
    return np.concatenate(parts)


def breath(rng: Generator) -> Signal:
    """In or out, through mouth or nose; a sigh has some voice in it."""
    air = noise(rng, rng.uniform(0.25, 1.4))
    air = resonate(air, vowel(rng)) / 3 + band(air, rng.uniform(150, 900), rng.uniform(1500, 7500)) * rng.uniform(
        0.1, 1
    )
    return air * swell(len(air), rng.uniform(0.1, 0.7), rng.uniform(0.2, 0.7))


def sniff(rng: Generator) -> Signal:
    """Short breaths in, through the nose."""
    parts = []
    for _ in range(rng.integers(1, 4)):
        air = band(noise(rng, rng.uniform(0.12, 0.4)), rng.uniform(300, 1500), rng.uniform(3000, 7900))
        parts.append(air * swell(len(air), rng.uniform(0.2, 0.8), rng.uniform(0.1, 0.4)))
    return in_a_row(rng, parts, (0.1, 0.4))


def sneeze(rng: Generator) -> Signal:
    """A breath in, then an explosion."""
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


# Hands, rooms, machines


def _struck(rng: Generator, low_hz: float, high_hz: float, ring_s: float, modes: int) -> Signal:
    """Damped modes of something hit, and the noise of the hit."""
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
    """Typing: clicks of one keyboard, down and up, unevenly."""
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
    """A door, a drawer, a dropped thing, steps, a table: one to six blows."""
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
    """Paper, clothes, a bag: grains of high noise."""
    rustle = band(noise(rng, rng.uniform(0.3, 1.8)), rng.uniform(500, 2500), rng.uniform(4000, 7900))
    grains = rng.gamma(rng.uniform(0.15, 0.8), 1, len(rustle) // rng.integers(60, 600) + 2)
    strength = np.interp(np.arange(len(rustle)), np.linspace(0, len(rustle), len(grains)), grains)
    return rustle * strength * swell(len(rustle), 0.2, 0.4)


def squeak(rng: Generator) -> Signal:
    """A door or a chair: a rough tone that glides."""
    seconds, start = rng.uniform(0.2, 1.0), rng.uniform(250, 1800)
    tone = voiced(
        rng,
        contour(rng, list(start * rng.uniform(0.6, 1.6, 4)), seconds),
        roughness=rng.uniform(0.02, 0.5),
        tilt=rng.uniform(0.5, 1.5),
    )
    return tone * swell(len(tone), rng.uniform(0.1, 0.5), rng.uniform(0.1, 0.5)) * rng.uniform(0.5, 1, len(tone))


def machine(rng: Generator) -> Signal:
    """Mains, a fan, a motor, a vacuum cleaner, traffic: steady tones and noise, switched on or swelling."""
    seconds, base = rng.uniform(0.6, 2.2), rng.choice([50.0, 60.0, 100.0, 120.0, rng.uniform(60, 500)])
    tone = voiced(
        rng,
        contour(rng, list(base * rng.uniform(0.97, 1.03, 3)), seconds),
        roughness=rng.uniform(0, 0.03),
        tilt=rng.uniform(0.3, 1.5),
    )
    air = band(noise(rng, seconds), rng.uniform(0, 300), rng.uniform(500, 6000), order=1)
    mixed = tone / np.std(tone) * rng.uniform(0, 1) + air[: len(tone)] / np.std(air) * rng.uniform(0.2, 1)
    return mixed * swell(len(mixed), rng.uniform(0.01, 0.6), rng.uniform(0.02, 0.5))


def tones(rng: Generator) -> Signal:
    """Keys of a telephone, ringing, notifications, alarms."""
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
    """Notes and chords of some instrument over a beat."""
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
    """A dog, a bird, a baby: cries with a gliding pitch."""
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
            contour(rng, list(pitch * rng.uniform(0.75, 1.25, 3)), rng.uniform(*seconds)),
            roughness=rough,
            tilt=1.0,
        )
        if kind != 1:
            tone = resonate(tone, vowel(rng))
        parts.append(tone / np.std(tone) * swell(len(tone), rng.uniform(0.05, 0.3), rng.uniform(0.2, 0.5)))
    return in_a_row(rng, parts, (0.05, 0.4))


def line_fault(rng: Generator) -> Signal:
    """Crackles, a bump of the microphone, wind, lost packets."""
    kind = rng.integers(3)
    if kind == 0:
        sound = noise(rng, rng.uniform(0.2, 1.5))
        return sound * (rng.random(len(sound)) < rng.uniform(0.0005, 0.02))
    if kind == 1:
        wind = band(noise(rng, rng.uniform(0.4, 2.0)), 0, rng.uniform(150, 900), order=1)
        gusts = contour(rng, list(rng.gamma(1, 1, 6)), len(wind) / SPEECH_RATE)
        return wind[: len(gusts)] * gusts[: len(wind)]
    bump = band(noise(rng, rng.uniform(0.05, 0.4)), 0, rng.uniform(100, 500))
    return bump * envelope(len(bump), rng.uniform(0.002, 0.03), rng.uniform(0.02, 0.12))


SOUNDS: tuple[tuple[Callable[[Generator], Signal], float], ...] = (
    (cough, 5),
    (throat_clearing, 3),
    (laugh, 2),
    (breath, 2),
    (sniff, 1),
    (sneeze, 1),
    (smack, 1),
    (keyboard, 3),
    (knocks, 2),
    (clinks, 1),
    (paper, 2),
    (squeak, 1),
    (machine, 2),
    (tones, 1.5),
    (music, 2),
    (animal, 1),
    (line_fault, 2),
)
"""What is no speech, and how often it is drawn."""


def draw_sound(rng: Generator) -> Pcm32:
    """One of them."""
    weights = np.array([weight for _, weight in SOUNDS])
    sound = SOUNDS[rng.choice(len(SOUNDS), p=weights / weights.sum())][0](rng)
    return (sound / max(1e-9, float(np.abs(sound).max()))).astype(np.float32)


# Murmurs


def hummed(rng: Generator) -> Pcm32:
    """A murmur that no synthesizer says well: mm, mm-hmm, uh-huh, hm; closed mouth or a neutral vowel."""
    pitch = np.exp(rng.uniform(np.log(85), np.log(270)))
    size = rng.uniform(0.85, 1.25)
    is_open = rng.random() < 0.3
    if is_open:
        tract = [(size * rng.uniform(450, 700), 90), (size * rng.uniform(1000, 1400), 130), (size * 2500, 200)]
    else:
        tract = [
            (size * rng.uniform(220, 320), rng.uniform(50, 120)),
            (size * rng.uniform(900, 1300), rng.uniform(200, 500)),
            (size * 2300, 400),
        ]
    if rng.random() < 0.45:
        steps = (
            pitch * rng.uniform(0.8, 1.4, 3)
            if rng.random() < 0.5
            else pitch * np.array([1, 1.15, rng.uniform(0.75, 0.95)])
        )
        shapes = [(rng.uniform(0.16, 0.6), list(steps))]
    else:
        second = pitch * rng.uniform(1.05, 1.5) if rng.random() < 0.75 else pitch * rng.uniform(0.75, 0.98)
        first_s = rng.uniform(0.1, 0.26)
        shapes = [
            (first_s, [pitch, pitch * rng.uniform(0.85, 1.05)]),
            (rng.uniform(0.12, 0.36), [second * rng.uniform(0.85, 1), second, second * rng.uniform(0.85, 1.1)]),
        ]
    parts: list[Signal] = []
    for number, (seconds, points) in enumerate(shapes):
        if number or rng.random() < 0.15:
            puff = resonate(noise(rng, rng.uniform(0.02, 0.1)), tract)
            parts.append(puff / np.std(puff) * swell(len(puff), 0.4, 0.4) * rng.uniform(0.02, 0.25))
        tone = resonate(
            voiced(rng, contour(rng, points, seconds), roughness=rng.uniform(0.005, 0.04), tilt=rng.uniform(1.2, 2.2)),
            tract,
        )
        parts.append(
            tone
            / np.std(tone)
            * swell(len(tone), rng.uniform(0.08, 0.35), rng.uniform(0.15, 0.6))
            * rng.uniform(0.7, 1.2)
        )
    sound = np.concatenate(parts)
    sound = sound + rng.uniform(0.001, 0.02) * band(noise(rng, len(sound) / SPEECH_RATE + 0.01), 200, 5000)[
        : len(sound)
    ] * np.std(sound)
    return (sound / np.abs(sound).max()).astype(np.float32)
