"""Training examples: speech damaged by a telephone, a room and noise."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, lfilter

from scripts.acoustics.telephone import mu_law
from scripts.train.speech_to_text.audio import HOP, Utterance
from scripts.train.turn_taking.line import decaying
from serving.audio import SPEECH_RATE, Pcm32

LOW_PASSES = tuple(butter(4, cutoff_hz / (SPEECH_RATE / 2)) for cutoff_hz in (2500, 3000, 3400, 3800, 5000))
MAX_PAIR_S = 8.5


@dataclass(frozen=True, slots=True)
class Example:
    """Damaged audio with silence after it."""

    text: str
    """Empty if there is no speech."""
    samples: Pcm32
    phones: NDArray[np.int64] | None


class Damage:
    """Draws examples; all chance comes from one seed."""

    def __init__(self, seed: int) -> None:
        """The same seed gives the same examples."""
        self.random = random.Random(seed)
        self.numpy = np.random.RandomState(seed)

    def example(self, utterances: Sequence[Utterance]) -> Example:
        """One damaged utterance (sometimes two, or none), followed by 0.1 to 8 s of silence."""
        chance = self.random
        if chance.random() < 0.03:
            samples = self._noise(chance.randint(SPEECH_RATE // 2, 3 * SPEECH_RATE)) * 10 ** chance.uniform(-4, -1.5)
            return Example("", samples.astype(np.float32), None)
        utterance = chance.choice(utterances)
        text, phones = utterance.text, utterance.phones
        samples = self._degraded(_floats(utterance))
        if chance.random() < 0.15:
            second = chance.choice(utterances)
            if len(utterance.pcm) + len(second.pcm) < MAX_PAIR_S * SPEECH_RATE:
                gap = np.zeros(chance.randint(1000, 10_000), np.float32)
                samples = np.concatenate([samples, gap, self._degraded(_floats(second))])
                text, phones = f"{text} {second.text}", None
        return self._placed(text, samples, phones)

    def _placed(self, text: str, samples: Pcm32, phones: NDArray[np.int64] | None) -> Example:
        """Adds silence around it and noise, at a random level."""
        chance = self.random
        lead = HOP * chance.choice([0, 0, chance.randint(0, 25)])
        tails_s = [0.1, 0.2, 0.3, 0.5, 0.5, 1.0, chance.uniform(0.1, 2), chance.uniform(1, 8)]
        tail = int(SPEECH_RATE * chance.choice(tails_s))
        samples = np.concatenate([np.zeros(lead, np.float32), samples, np.zeros(tail, np.float32)])
        level = 10 ** chance.uniform(-1.9, -0.7)
        samples *= level / max(math.sqrt(float((samples**2).mean())), 1e-4)
        if chance.random() < 0.65:
            samples += self._noise(len(samples)) * level * 10 ** (-chance.uniform(5, 40) / 20)
        if phones is not None:
            phones = np.concatenate([np.zeros(lead // HOP, np.int64), phones])
        return Example(text, np.clip(samples, -1, 1), phones)

    def _degraded(self, samples: Pcm32) -> Pcm32:
        chance = self.random
        if chance.random() < 0.35:
            numerator, denominator = chance.choice(LOW_PASSES)
            samples = lfilter(numerator, denominator, samples).astype(np.float32)
            if chance.random() < 0.4:
                samples = mu_law(samples).astype(np.float32)
        if chance.random() < 0.3:
            samples = self._in_a_room(samples)
        return samples

    def _in_a_room(self, samples: Pcm32) -> Pcm32:
        length = int(SPEECH_RATE * self.random.uniform(0.05, 0.3))
        room = decaying(self.numpy.randn(length), 1 / self.random.uniform(0.1, 0.5))
        return fftconvolve(samples, room)[: len(samples)].astype(np.float32)

    def _noise(self, length: int) -> Pcm32:
        """White or low-passed noise with a standard deviation of 1."""
        samples = self.numpy.randn(length).astype(np.float32)
        if self.random.random() < 0.5:
            samples = lfilter([1], [1, -self.random.uniform(0.8, 0.98)], samples).astype(np.float32)
        return np.asarray(samples / samples.std(), np.float32)


def _floats(utterance: Utterance) -> Pcm32:
    return np.asarray(utterance.pcm / 32768, np.float32)
