"""What lies between a caller's mouth and the engines: a room, a telephone, noise, a level."""

import math
import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

from scripts.acoustics.telephone import VOICE_BAND, Sections, band_pass, mu_law, telephone
from serving.audio import SPEECH_RATE, Pcm32

_BANDS = (VOICE_BAND, band_pass(200, 3400), band_pass(350, 3000))
_LOW_PASSES = tuple(butter(4, cutoff_hz, fs=SPEECH_RATE, output="sos") for cutoff_hz in (3800, 5000, 6500))


@dataclass(frozen=True, slots=True)
class Line:
    """One caller's line, the same for everything that they say."""

    room: Pcm32 | None
    """Impulse response."""
    band: Sections | None
    """A telephone's; None: a wideband line."""
    low_pass: Sections | None
    level_db: float
    """RMS of speech, relative to full scale."""
    noise_db: float
    """Relative to speech."""
    noise: str
    """"white", "low", "hum" or "babble"."""
    seed: int

    def carry(self, samples: Pcm32, babble: Pcm32 | None = None) -> Pcm32:
        """What arrives of a caller's sound, silences included; `babble` is background talk, for lines that have it."""
        noises = np.random.default_rng(self.seed)
        heard = samples
        if self.room is not None:
            heard = fftconvolve(heard, self.room)[: len(samples)]
        if self.low_pass is not None:
            heard = sosfilt(self.low_pass, heard)
        loud = np.abs(samples) > 0.02
        level = math.sqrt(float(np.mean(np.square(heard[loud])))) if loud.any() else 1.0
        heard = heard * (10 ** (self.level_db / 20) / max(level, 1e-5))
        noise = self._noise(noises, len(samples), babble) * 10 ** ((self.level_db + self.noise_db) / 20)
        heard = np.asarray(heard + noise, dtype=np.float32)
        return telephone(heard, band=self.band, codec=mu_law) if self.band is not None else np.clip(heard, -1.0, 1.0)

    def _noise(self, rng: np.random.Generator, length: int, babble: Pcm32 | None) -> NDArray[np.float64]:
        if self.noise == "babble" and babble is not None and len(babble):
            begin = int(rng.integers(len(babble)))
            found = np.resize(np.roll(babble, -begin), length) + 0.05 * rng.normal(size=length)
        elif self.noise == "hum":
            times = np.arange(length) / SPEECH_RATE
            tones = (np.sin(2 * np.pi * 50 * number * times) / number for number in (1, 2, 3, 5))
            found = sum(tones, 0.1 * rng.normal(size=length))
        else:
            found = rng.normal(size=length)
            if self.noise == "low":
                found = lfilter([1], [1, -rng.uniform(0.8, 0.98)], found)
        return np.asarray(found / max(float(np.std(found)), 1e-6))


def draw_line(rng: random.Random) -> Line:
    """A third are telephones, a third have a room; the signal-to-noise ratio is 5 to 60 dB."""
    seed = rng.randrange(2**31)
    phone = rng.random() < 0.35
    noisy = rng.random() < 0.65
    return Line(
        room=draw_room(rng) if rng.random() < 0.3 else None,
        band=rng.choice(_BANDS) if phone else None,
        low_pass=rng.choice(_LOW_PASSES) if rng.random() < 0.25 else None,
        level_db=rng.uniform(-36, -14),
        noise_db=-rng.uniform(5, 35) if noisy else -rng.uniform(35, 60),
        noise=rng.choice(("white", "low", "low", "hum", "babble", "babble")) if noisy else "white",
        seed=seed,
    )


def draw_room(rng: random.Random) -> Pcm32:
    """An impulse response: the direct sound, and a tail that dies away within 0.05 to 0.4 s."""
    length = int(SPEECH_RATE * rng.uniform(0.05, 0.4))
    noise = np.random.default_rng(rng.randrange(2**31)).normal(size=length)
    return decaying(noise, 1 / rng.uniform(0.1, 0.5))


def decaying(noise: NDArray[np.float64], direct: float) -> Pcm32:
    """A room's impulse response, of unit energy: the direct sound, then this noise, which dies away."""
    room = noise * np.exp(-np.arange(len(noise)) / (len(noise) / 5))
    room[0] = direct
    return np.asarray(room / math.sqrt(float(np.sum(room**2))), dtype=np.float32)
