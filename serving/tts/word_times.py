"""Which word of a text each phoneme belongs to, and so when each word is heard. Pure.

A phonemizer joins words ("of the" is one group), spells out others ("10:30" is three) and drops signs, so counting groups is
not enough. Each word is phonemized alone as well, and the two phoneme sequences are aligned by a weighted edit distance.
"""

import unicodedata
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from serving.speech import Word

SPACE = " "
SILENT = -1
"""Owner of a phoneme that belongs to no word: pauses, punctuation, spaces."""

_VOWELS = frozenset("aeiouyæøœɐɑɒɔəɚɛɜɝɘɪɨʊʉʌɯɤɞɵɶᵻ")
_STRESS = frozenset("ˈˌ")
_GAP_COST = 0.8
_SPACE_GAP_COST = 0.2
_VOWEL_COST = 0.5
_CONSONANT_COST = 0.7
_MIXED_COST = 1.5
_SPACE_PHONE_COST = 3.0


def owners(spellings: Sequence[Sequence[str]], phonemes: Sequence[str]) -> list[int]:
    """The index of the word that each phoneme belongs to, SILENT for those of none; apart from SILENT it never decreases.

    `spellings` are the phonemes of each word spoken alone (empty for a word without sound), `phonemes` those of the
    whole text. Symbols are IPA code points as Piper uses them, with " " between groups and punctuation unchanged.
    """
    expected = [(symbol, word) for word, spelling in enumerate(spellings) for symbol in _spoken(spelling, word)]
    heard = [(symbol, at) for at, symbol in enumerate(phonemes) if symbol == SPACE or _is_phone(symbol)]
    owner = [SILENT] * len(phonemes)
    if not any(symbol != SPACE for symbol, _ in expected) or not heard:
        return owner
    pairs = _align([symbol for symbol, _ in expected], [symbol for symbol, _ in heard])
    matched = {heard_at: expected[expected_at][1] for expected_at, heard_at in pairs}
    for position, (symbol, at) in enumerate(heard):
        if symbol != SPACE and position in matched:
            owner[at] = matched[position]
    _adopt(owner, phonemes)
    return owner


def timed_words(
    words: Sequence[str],
    spellings: Sequence[Sequence[str]],
    owner: Sequence[int],
    ends_s: npt.NDArray[np.float64],
) -> list[Word]:
    """Every word with its time: from the start of its first phoneme to the end of its last.

    `ends_s`, shape (phonemes + 1,), are the phonemes' edges: `ends_s[0]` is where the first begins, and each next one where a
    phoneme ends and the next begins. A spoken word that was given no phoneme shares the time of the word before it, by
    length; a word without sound has no duration and lies where its neighbour ends.
    """
    spans: dict[int, tuple[float, float]] = {}
    for at, word in enumerate(owner):
        if word != SILENT:
            start_s = spans[word][0] if word in spans else float(ends_s[at])
            spans[word] = (start_s, float(ends_s[at + 1]))
    lengths = [sum(map(_is_phone, spelling)) for spelling in spellings]
    _share(spans, lengths)
    times: list[Word] = []
    now_s = min((start for start, _ in spans.values()), default=float(ends_s[0]))
    for at, text in enumerate(words):
        start_s, end_s = spans.get(at, (now_s, now_s))
        start_s = max(start_s, now_s)
        now_s = max(end_s, start_s)
        times.append(Word(text, start_s, now_s))
    return times


def _share(spans: dict[int, tuple[float, float]], lengths: Sequence[int]) -> None:
    """Give each spoken word without a span a part of its neighbour's, in proportion to its phonemes."""
    group: list[int] = []
    groups: list[list[int]] = []
    for word, length in enumerate(lengths):
        if length == 0 and word not in spans:
            continue
        if word in spans and any(member in spans for member in group):
            groups.append(group)
            group = []
        group.append(word)
    for members in [*groups, group]:
        owned = next((word for word in members if word in spans), None)
        if owned is None or len(members) == 1:
            continue
        start_s, end_s = spans[owned]
        edges = np.cumsum([0, *(max(1, lengths[word]) for word in members)])
        edges_s = start_s + (end_s - start_s) * edges / edges[-1]
        for place, word in enumerate(members):
            spans[word] = (float(edges_s[place]), float(edges_s[place + 1]))


def _is_phone(symbol: str) -> bool:
    """Whether a symbol stands for a sound, not for stress, length, a pause or a space."""
    category = unicodedata.category(symbol[0])
    return category.startswith("L") and category != "Lm"


def _spoken(spelling: Sequence[str], word: int) -> list[str]:
    phones = [symbol for symbol in spelling if symbol == SPACE or _is_phone(symbol)]
    return [SPACE, *phones] if word > 0 and phones else phones


def _adopt(owner: list[int], phonemes: Sequence[str]) -> None:
    """Extend words over what the alignment left out: stress before a phone, and marks and extra phones around it."""
    last = SILENT
    for at, symbol in enumerate(phonemes):
        if owner[at] != SILENT:
            last = owner[at]
        elif symbol == SPACE or unicodedata.category(symbol[0]).startswith("P"):
            last = SILENT
        elif last != SILENT and symbol not in _STRESS:
            owner[at] = last
    following = SILENT
    for at in range(len(phonemes) - 1, -1, -1):
        symbol = phonemes[at]
        if owner[at] != SILENT:
            following = owner[at]
        elif symbol == SPACE or unicodedata.category(symbol[0]).startswith("P"):
            following = SILENT
        elif following != SILENT:
            owner[at] = following


def _align(expected: Sequence[str], heard: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of positions matched by the cheapest edit of `expected` into `heard`, both ascending."""
    substitution = _substitution_costs(expected, heard)
    deletion = _gap_costs(expected)
    insertion = np.concatenate([[0.0], np.cumsum(_gap_costs(heard))])
    table = np.empty((len(expected) + 1, len(heard) + 1))
    table[0] = insertion
    for row in range(1, len(expected) + 1):
        best = table[row - 1] + deletion[row - 1]
        best[1:] = np.minimum(best[1:], table[row - 1, :-1] + substitution[row - 1])
        # a run of insertions from column k to column j costs insertion[j] - insertion[k]
        table[row] = np.minimum.accumulate(best - insertion) + insertion
    return _trace(table, substitution, deletion)


def _trace(
    table: npt.NDArray[np.float64], substitution: npt.NDArray[np.float64], deletion: npt.NDArray[np.float64]
) -> list[tuple[int, int]]:
    row, column = table.shape[0] - 1, table.shape[1] - 1
    pairs: list[tuple[int, int]] = []
    while row > 0 and column > 0:
        here = table[row, column]
        if abs(here - table[row - 1, column - 1] - substitution[row - 1, column - 1]) < 1e-6:
            row, column = row - 1, column - 1
            pairs.append((row, column))
        elif abs(here - table[row - 1, column] - deletion[row - 1]) < 1e-6:
            row -= 1
        else:
            column -= 1
    return pairs[::-1]


def _gap_costs(symbols: Sequence[str]) -> npt.NDArray[np.float64]:
    return np.array([_SPACE_GAP_COST if symbol == SPACE else _GAP_COST for symbol in symbols])


def _substitution_costs(expected: Sequence[str], heard: Sequence[str]) -> npt.NDArray[np.float64]:
    """Shape (len(expected), len(heard)): 0 if equal, higher between a vowel and a consonant, highest with a space."""
    left, right = np.array(expected)[:, None], np.array(heard)[None, :]
    left_vowel = np.array([symbol[0] in _VOWELS for symbol in expected])[:, None]
    right_vowel = np.array([symbol[0] in _VOWELS for symbol in heard])[None, :]
    costs = np.where(
        left_vowel & right_vowel, _VOWEL_COST, np.where(left_vowel | right_vowel, _MIXED_COST, _CONSONANT_COST)
    )
    costs = np.where((left == SPACE) | (right == SPACE), _SPACE_PHONE_COST, costs)
    return np.where(left == right, 0.0, costs)
