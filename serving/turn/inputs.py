"""What the end-of-turn network is told besides the sound, as numbers. Shared by training and serving. Pure."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from serving.speech import Asked
from serving.turn.words import FIRST_WORD, word_features

ASKED = tuple(Asked)
"""What was asked, in the order of the network's numbers for it: the order of Asked belongs to the trained network."""
VOCABULARY = "vocabulary"
"""Key of the file's metadata: the words it knows, separated by spaces."""
HABITS = 4
"""How many numbers describe the caller's pauses."""
MAX_SILENCE_S = 2.0
"""Longer silences count as this."""
_MIN_PAUSE_S, _MAX_PAUSE_S, _USUAL_PAUSE_S = 0.2, 4.0, 0.4
_REMEMBERED = 8

Inputs = dict[str, npt.NDArray[np.generic]]


def known_words(text: str) -> dict[str, int]:
    """The vocabulary in a file's metadata, numbered as in training."""
    return {word: FIRST_WORD + number for number, word in enumerate(text.split())}


def context_inputs(
    words: str, asked: Asked, silence_s: float, pauses_s: Sequence[float], vocabulary: Mapping[str, int]
) -> Inputs:
    """The network's inputs except the sound, each with a first axis of 1."""
    features = word_features(words, vocabulary)
    return {
        "words": features.words[None],
        "pieces": features.pieces[None],
        "counts": features.counts[None],
        "asked": np.array([ASKED.index(asked)], dtype=np.int64),
        "habits": habits(pauses_s)[None],
        "silence_s": np.array([min(max(silence_s, 0.0), MAX_SILENCE_S)], dtype=np.float32),
    }


def habits(pauses_s: Sequence[float]) -> npt.NDArray[np.float32]:
    """Share of 8 pauses known (none: all zeros), and the logs of their geometric mean, maximum and last over 0.4 s. Shape (4,).

    The last 8 count; pauses shorter than 0.2 s are ordinary gaps in speech and do not.
    """
    known = [min(pause_s, _MAX_PAUSE_S) for pause_s in pauses_s if pause_s >= _MIN_PAUSE_S][-_REMEMBERED:]
    if not known:
        return np.zeros(HABITS, dtype=np.float32)
    logarithms = [math.log(pause_s / _USUAL_PAUSE_S) for pause_s in known]
    numbers = (len(known) / _REMEMBERED, sum(logarithms) / len(known), max(logarithms), logarithms[-1])
    return np.array(numbers, dtype=np.float32)
