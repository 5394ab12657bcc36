"""What a recogniser may have made of a take's words when its end is judged: errors, out-of-domain words, late words."""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jiwer
import numpy as np
from numpy.typing import NDArray

from scripts.train.end_of_turn.pauses import draw_habits, still_silent
from scripts.train.language_model.recognition_errors import asr_noise
from scripts.train.sentences.callers import Callers
from serving.speech import Asked
from serving.turn.inputs import ASKED, habits
from serving.turn.words import DIGITS, FILLERS, word_features

DICTIONARY = Path("/usr/share/dict/words")
"""Debian package wamerican."""
TIMES_S = tuple(round(0.1 * step, 1) for step in range(1, 16))
"""Lengths of silence at which a take is judged."""
_KEPT_TEXT = (
    "a about after an and any are as at because been before but by can could did do does for from had has have he her his how i "
    "i'd i'm if in into is it it's just like me my no not of oh okay on one or our please she should so some than thank thanks that "
    "the their them then there they this to um uh was we well were what when where which who why will with would yes you your "
    "monday tuesday wednesday thursday friday saturday sunday"
)
_KEPT = frozenset(_KEPT_TEXT.split())
"""Words that hold sentences together, which are never replaced."""


@dataclass(frozen=True, slots=True)
class Row:
    """A take without its sound (features.py writes it)."""

    words: str
    ended: bool
    asked: Asked
    kind: str
    caller: float
    hold_s: float
    voice: str
    recognised: str | None = None
    """What the demo's recogniser made of it; None: unknown."""


UNDERSTOOD = 0.7
"""Largest word error rate at which the recogniser's own words are trained on: the demo's knows few sentences and garbles the rest."""
_RECOGNISED = 0.6
"""Share of hearings that are a recogniser's own words, where there are any."""
_COMPLETED = 0.12
"""Share of pauses at which a recogniser makes up the next words."""


def hearing(row: Row, rng: random.Random) -> str:
    """One version of what a recogniser may have made of a take's words."""
    if row.recognised is not None and is_understood(row.words, row.recognised) and rng.random() < _RECOGNISED:
        return row.recognised
    completes = not row.ended and rng.random() < _COMPLETED
    return heard(completed(row.words, rng) if completes else row.words, rng)


@cache
def is_understood(words: str, recognised: str) -> bool:
    """Whether a recogniser got enough of these words right."""
    return bool(jiwer.wer(words, recognised) <= UNDERSTOOD)


def completed(words: str, rng: random.Random) -> str:
    """With one to three likely next words: recognisers that know few sentences complete those that were cut off."""
    said = words.split()
    for _ in range(rng.choice((1, 1, 2, 3))):
        following = _following().get(tuple(said[-2:]), ())
        word = rng.choice(following) if following else ""
        if not word:
            break
        said.append(word)
    return " ".join(said)


@cache
def _following() -> Mapping[tuple[str, ...], Sequence[str]]:
    """Each pair of words -> the words that followed it in callers' sentences, as often as they did; "" is the end."""
    callers, found = Callers(random.Random(11)), defaultdict[tuple[str, ...], list[str]](list)
    for _ in range(20_000):
        said = [*callers.sentence().split(), ""]
        for first, second, third in zip(said, said[1:], said[2:], strict=False):
            found[first, second].append(third)
    return found


def heard(words: str, rng: random.Random) -> str:
    """A recogniser's version: often right, sometimes without fillers, with errors, late, or empty."""
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
    """The head's inputs except sound and silence, with earlier pauses that such a caller might have made."""
    found = word_features(words, vocabulary)
    return {
        "words": found.words,
        "pieces": found.pieces,
        "counts": found.counts,
        "asked": np.array(ASKED.index(row.asked)),
        "habits": habits(draw_habits(rng, row.caller)),
    }


def weights(row: Row) -> NDArray[np.float32]:
    """Weight of each time in TIMES_S: 1 for an end, for a pause the share of such pauses that still last."""
    if row.ended:
        return np.ones(len(TIMES_S), np.float32)
    return np.array([still_silent(time_s, row.caller, row.kind) for time_s in TIMES_S], np.float32)
