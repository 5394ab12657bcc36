"""What lies between a mouth and the agent: a room, a distance, noise, a telephone."""

import numpy as np
from numpy.random import Generator
from scipy.signal import fftconvolve, resample_poly

from scripts.acoustics.telephone import a_law, by_polyphase, mu_law, telephone
from scripts.train.interruption.sounds.synthesis import Signal, band
from serving.audio import SPEECH_RATE, Pcm32


def active_level(samples: Signal | Pcm32) -> float:
    """RMS of the louder part of a sound: 20 ms frames within 30 dB of the loudest."""
    frames = np.asarray(samples, np.float64)[: len(samples) // 320 * 320].reshape(-1, 320)
    power = (frames**2).mean(1) if len(frames) else np.array([float(np.mean(np.square(samples)))])
    return float(np.sqrt(power[power >= power.max() * 1e-3].mean())) + 1e-9


def levelled(samples: Signal | Pcm32, level_dbfs: float) -> Pcm32:
    """Scaled to that active level."""
    return np.asarray(samples * (10 ** (level_dbfs / 20) / active_level(samples)), np.float32)


def room(rng: Generator, samples: Signal | Pcm32, direct_db: float) -> Pcm32:
    """In a room of random size, with the direct sound so many dB above the reverberation."""
    tail_s = rng.uniform(0.15, 0.8)
    count = int(tail_s * SPEECH_RATE)
    late = rng.standard_normal(count) * 10 ** (-3 * np.arange(count) / count)
    late[: int(rng.uniform(0.001, 0.012) * SPEECH_RATE)] = 0
    late = band(late, rng.uniform(50, 250), rng.uniform(1800, 7500), order=1)
    late *= 10 ** (-direct_db / 20) / np.sqrt((late**2).sum())
    late[0] += 1
    return fftconvolve(samples, late)[: len(samples) + count // 3].astype(np.float32)


def changed(rng: Generator, samples: Pcm32) -> Pcm32:
    """A different voice: played a little faster or slower, which shifts pitch, formants and tempo, with a tilted spectrum."""
    numerator = int(rng.integers(86, 118))
    played = resample_poly(samples, numerator, 100) if rng.random() < 0.7 else samples
    tilt = rng.uniform(-0.35, 0.35)
    return np.asarray(played + tilt * np.concatenate([[0], played[:-1]]), np.float32)


def background(rng: Generator, count: int, talk: Pcm32 | None) -> Signal:
    """Line noise with a standard deviation of 1: white, coloured, a hum, or many voices."""
    kind = rng.integers(5)
    sound = rng.standard_normal(count)
    if kind in (1, 2):
        sound = band(sound, rng.uniform(0, 200), rng.uniform(300, 4000), order=1)
    elif kind == 3:
        times = np.arange(count) / SPEECH_RATE
        base = rng.choice([50.0, 60.0, 100.0, 120.0])
        hum = sum(rng.uniform(0, 1) / k * np.sin(2 * np.pi * k * base * times + rng.uniform(0, 6)) for k in range(1, 9))
        sound = sound * rng.uniform(0.1, 1) + hum
    elif kind == 4 and talk is not None and len(talk) > 800:
        voices = [np.roll(np.resize(talk, count), rng.integers(count))[:: rng.choice([-1, 1])] for _ in range(6)]
        sound = np.sum(voices, 0) + 0.02 * sound * np.std(talk)
    return np.asarray(sound / (np.std(sound) + 1e-9))


def on_the_line(rng: Generator, samples: Pcm32, *, talk: Pcm32 | None = None) -> Pcm32:
    """Over the caller's line: with noise, and half of the time through a telephone."""
    loudness = active_level(samples)
    floor_db = min(20 * np.log10(loudness) - rng.uniform(6, 45), -28.0)
    noisy = samples + background(rng, len(samples), talk) * 10 ** (max(floor_db, -85.0) / 20)
    noisy = np.clip(noisy, -1, 1).astype(np.float32)
    if rng.random() < 0.5:
        return _telephoned(rng, noisy)
    return band(noisy, 0, rng.uniform(3500, 7900)).astype(np.float32) if rng.random() < 0.3 else noisy


def _telephoned(rng: Generator, samples: Pcm32) -> Pcm32:
    """Over a line whose band and codec are drawn."""
    voice = band(samples, rng.uniform(150, 350), rng.uniform(3000, 3600), order=3)
    codec = mu_law if rng.random() < 0.5 else a_law
    return telephone(voice, band=None, codec=codec, resample=by_polyphase)


def gate_clicks(rng: Generator, samples: Pcm32) -> Pcm32:
    """What an echo canceller leaves: a sound with moments punched out of it."""
    count = len(samples) // 640 + 2
    holes = np.repeat(rng.random(count) ** rng.uniform(0.3, 3), 640)[: len(samples)]
    smooth = np.convolve(holes, np.ones(320) / 320, "same")
    return np.asarray(samples * smooth, np.float32)
