"""What a caller's words so far tell about whether more will follow, as small integers for a network. Pure.

The same words give the same features, however the recognizer writes them: "It's 555-1234." and "it's five five five one two three four".
Words outside the network's vocabulary are described by how they begin and end, so every English word counts.
"""

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from num2words import num2words

RECENT = 10
"""How many words, counted from the last, are looked at one by one."""
PIECES = 4
BUCKETS = 512
"""Beginnings and endings are hashed to numbers from 1 to this; 0: none."""
UNKNOWN = 1
FIRST_WORD = 2
"""The number of the vocabulary's first word; 0 means no word."""
MAX_DIGITS = 12
MAX_WORDS = 24

UNINTELLIGIBLE = "\N{REPLACEMENT CHARACTER}"
"""Stands for speech that the recognizer did not understand: an unknown word without beginning or ending."""

DIGITS = ("zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
FILLERS = frozenset(("um", "uh", "er", "erm", "hmm", "uhm", "mm"))

_CARDINALS: list[list[str]]
_ORDINALS: list[list[str]]
_CARDINALS, _ORDINALS = (
    [num2words(number, to=form).replace("-", " ").split() for number in range(100)] for form in ("cardinal", "ordinal")
)
_TOKEN = re.compile(rf"[^\W_]+(?:'[^\W_]+)*|{UNINTELLIGIBLE}")
_ORDINAL = re.compile(r"(\d{1,2})(?:st|nd|rd|th)")
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class WordFeatures:
    """A turn's words for the network."""

    words: npt.NDArray[np.int64]
    """Shape (10,): the numbers of the last words, in order."""
    pieces: npt.NDArray[np.int64]
    """Shape (10, 4): for each word the hashes of its first three letters, its last two, its last three, and all of it; 0 if it
    is UNINTELLIGIBLE."""
    counts: npt.NDArray[np.int64]
    """Shape (3,): digits at the end, digits in all (each at most 12), words in all (at most 24)."""


def spoken_words(text: str) -> list[str]:
    """Lower case, without punctuation, numbers as they are spoken: "At 10:30." -> ["at", "ten", "thirty"]."""
    found: list[str] = []
    for token in _TOKEN.findall(text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")):
        ordinal, number = _ORDINAL.fullmatch(token), _NUMBER.match(token)
        if ordinal:
            found += _ORDINALS[int(ordinal[1])]
        elif number:
            found += _numeral(number[0])
            found += [token[number.end() :]] if number.end() < len(token) else []
        else:
            found.append(token)
    return found


def word_features(text: str, vocabulary: Mapping[str, int]) -> WordFeatures:
    """The features of a turn's words so far; `vocabulary` gives the words' numbers, from FIRST_WORD on."""
    said = spoken_words(text)
    recent = said[-RECENT:]
    words = np.zeros(RECENT, dtype=np.int64)
    pieces = np.zeros((RECENT, PIECES), dtype=np.int64)
    for place, word in enumerate(recent, start=RECENT - len(recent)):
        words[place] = vocabulary.get(word, UNKNOWN)
        if word != UNINTELLIGIBLE:
            parts = (f"^{word[:3]}", f"{word[-2:]}$", f"{word[-3:]}$", f"^{word}$")
            pieces[place] = [_bucket(piece) for piece in parts]
    counts = (
        min(digit_run(said), MAX_DIGITS),
        min(sum(map(_digits_in, said)), MAX_DIGITS),
        min(len(said), MAX_WORDS),
    )
    return WordFeatures(words, pieces, np.array(counts, dtype=np.int64))


def digit_run(said: Sequence[str]) -> int:
    """How many digits the words end with; an "um" among them is skipped."""
    count = 0
    for word in reversed(said):
        if word not in FILLERS and not _digits_in(word):
            break
        count += _digits_in(word)
    return count


def _digits_in(word: str) -> int:
    return 1 if word in DIGITS or word == "double" else 2 if word == "triple" else 0


def _numeral(digits: str) -> list[str]:
    """One or two digits are read as a number, more than two one by one."""
    if len(digits) > 2 or (len(digits) == 2 and digits[0] == "0"):
        return [_CARDINALS[int(digit)][0] for digit in digits]
    return _CARDINALS[int(digits)]


def _bucket(piece: str) -> int:
    return 1 + zlib.crc32(piece.encode()) % BUCKETS
