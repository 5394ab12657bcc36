"""A language of sound in which the value of a sample says which word is being heard."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from serving.audio import SPEECH_RATE, Pcm16, Pcm32
from serving.speech import Word

NOISE = -1
"""The sample value of sound that is not part of a word."""
WORD_S = 0.32
"""How long a word takes to say: a whole number of VAD windows and of 20 ms frames."""
ROOM_RATE = 24_000


@dataclass(frozen=True, slots=True)
class Utterance:
    """One word as it was said once."""

    text: str
    ends_turn: bool
    """Whether it sounds like the end of the speaker's turn."""


class Sounds:
    """What the sample values of one conversation mean."""

    def __init__(self) -> None:
        self._said: list[Utterance] = []

    def speech(self, text: str, *, rate: int = SPEECH_RATE, word_s: float = WORD_S, ends_turn: bool = True) -> Pcm16:
        """The sound of some words, without gaps between them."""
        words = text.split()
        samples = [np.zeros(0, np.int16)]
        for at, word in enumerate(words):
            self._said.append(Utterance(word, ends_turn and at == len(words) - 1))
            samples.append(np.full(round(word_s * rate), len(self._said), np.int16))
        return np.concatenate(samples)

    def words(self, samples: Pcm16, *, rate: int, at_s: float = 0.0) -> list[tuple[Word, float]]:
        """The words in some audio that begins at `at_s`, each with the length of it that is there, in seconds."""
        edges = np.flatnonzero(np.diff(samples)) + 1
        bounds = [0, *edges.tolist(), len(samples)] if len(samples) else [0]
        runs = [(start, end, int(samples[start])) for start, end in pairwise(bounds)]
        return [
            (Word(self._said[value - 1].text, at_s + start / rate, at_s + end / rate), (end - start) / rate)
            for start, end, value in runs
            if value > 0
        ]

    def ends_turn(self, samples: Pcm16) -> bool:
        """Whether the last word in some audio sounds final."""
        spoken = samples[samples > 0]
        return len(spoken) > 0 and self._said[int(spoken[-1]) - 1].ends_turn


def noise(duration_s: float) -> Pcm16:
    """Sound without words at 16 kHz."""
    return np.full(round(duration_s * SPEECH_RATE), NOISE, np.int16)


def as_pcm16(samples: Pcm32) -> Pcm16:
    """Undo AudioChunk.to_float, exactly."""
    return np.round(samples * 32768.0).astype(np.int16)
