"""A caller who pauses to think in the middle of a line."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from scripts.caller.clock import RATE
from scripts.caller.voice import Line, Voice, load_voice
from serving.audio import Pcm16

MIN_LINE_S = 1.0
"""Shorter lines are said without a pause."""
WINDOW_S = 0.04
"""Shortest gap between words that is found."""


@dataclass(frozen=True, slots=True)
class PausingVoice(Voice):
    """Inserts these pauses, in turn, at the quietest moment in the middle of each line that is long enough."""

    pauses_s: Iterator[float] = field(default_factory=lambda: itertools.cycle([0.5]))

    def line(self, text: str) -> Line:
        """The line with these words and a pause in it. Raises LineMissing."""
        said = Voice.line(self, text)
        if len(said.samples) < MIN_LINE_S * RATE:
            return said
        return Line(text, with_pause(said.samples, next(self.pauses_s)))


def pausing_voice(name: str, pauses_s: Sequence[float]) -> PausingVoice:
    """A shipped voice that pauses. Raises CallerError if there is no such voice."""
    voice = load_voice(name)
    return PausingVoice(voice.name, voice.root, voice.files, itertools.cycle(pauses_s))


def with_pause(samples: Pcm16, pause_s: float) -> Pcm16:
    """The line (int16 at RATE) with silence inserted where its middle half is quietest."""
    window = round(WINDOW_S * RATE)
    first, last = len(samples) // 4, 3 * len(samples) // 4
    power = np.convolve(samples[first:last].astype(np.float64) ** 2, np.ones(window), mode="valid")
    cut = first + int(power.argmin()) + window // 2
    silence = np.zeros(round(pause_s * RATE), np.int16)
    return np.concatenate([samples[:cut], silence, samples[cut:]])
