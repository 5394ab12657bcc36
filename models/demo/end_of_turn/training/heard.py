"""What a recogniser may have made of a take's words by the time it is asked about: errors, words of other trades, words still to come."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.demo.end_of_turn.inputs import ASKED, habits
from models.demo.end_of_turn.training.pauses import draw_habits, still_silent
from models.demo.end_of_turn.words import DIGITS, FILLERS, word_features
from models.demo.language_model.training.recognition_errors import asr_noise

DICTIONARY = Path("/usr/share/dict/words")
"""Debian package wamerican."""
TIMES_S = tuple(round(0.1 * step, 1) for step in range(1, 16))
"""Silences that a take is judged at."""
_KEPT_TEXT = (
    "a about after an and any are as at because been before but by can could did do does for from had has have he her his how i "
    "i'd i'm if in into is it it's just like me my no not of oh okay on one or our please she should so some than thank thanks that "
    "the their them then there they this to um uh was we well were what when where which who why will with would yes you your "
    "monday tuesday wednesday thursday friday saturday sunday"
)
_KEPT = frozenset(_KEPT_TEXT.split())
"""Words that hold sentences together: never taken for another."""


@dataclass(frozen=True, slots=True)
class Row:
    """A take without its sound (features.py writes it)."""

    words: str
    ended: bool
    asked: str
    kind: str
    caller: float
    hold_s: float
    voice: str


def heard(words: str, rng: random.Random) -> str:
    """A recogniser's version: often right, sometimes without the fillers, with errors, late, or nothing at all."""
    draw = rng.random()
    if draw < 0.15:
        return ""
    said = words.split()
    if rng.random() < 0.4:
        said = [word for word in said if word not in FILLERS]
    if 0.15 <= draw < 0.18:
        said = said[: -rng.choice((1, 1, 2))]
    if rng.random() < 0.35:
        share = rng.uniform(0.1, 0.7)
        said = [
            word if word in _KEPT or word in DIGITS or rng.random() > share else rng.choice(_dictionary())
            for word in said
        ]
    return asr_noise(" ".join(said), rng, rng.choice((0.0, 0.0, 0.04, 0.1)))


@cache
def _dictionary() -> tuple[str, ...]:
    lines = DICTIONARY.read_text(encoding="utf-8").split()
    return tuple(word for word in lines if word.isascii() and word.isalpha() and word.islower() and len(word) > 2)


def context_arrays(
    row: Row, words: str, vocabulary: Mapping[str, int], rng: random.Random
) -> dict[str, NDArray[np.generic]]:
    """The head's inputs but sound and silence, with pauses that this caller may have made before."""
    found = word_features(words, vocabulary)
    return {
        "words": found.words,
        "pieces": found.pieces,
        "counts": found.counts,
        "asked": np.array(ASKED.index(row.asked)),
        "habits": habits(draw_habits(rng, row.caller)),
    }


def weights(row: Row) -> NDArray[np.float32]:
    """How much each time of TIMES_S counts: of an end all, of a pause the share of such pauses that still last then."""
    if row.ended:
        return np.ones(len(TIMES_S), np.float32)
    return np.array([still_silent(time_s, row.caller, row.kind) for time_s in TIMES_S], np.float32)
