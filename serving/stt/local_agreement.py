"""Which words of growing audio will not change any more: LocalAgreement-2 (Macháček et al. 2023, arXiv 2307.14743).

A word is agreed once two consecutive hypotheses begin with the same words up to it. Agreed words never change.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from serving.speech import Word


@dataclass(frozen=True, slots=True)
class Agreement:
    """The words to show now."""

    words: tuple[Word, ...]
    agreed: int
    """How many of them, from the first, are agreed."""


class LocalAgreement:
    """The interim words of one utterance."""

    def __init__(self) -> None:
        self._agreed: tuple[Word, ...] = ()
        self._tail: tuple[Word, ...] = ()

    def push(self, hypothesis: Sequence[Word], *, before_s: float = math.inf) -> Agreement:
        """The agreed words, unchanged, followed by what the hypothesis has after them.

        before_s: words that end later are not agreed on yet; the last may be half a word.
        """
        tail = after(self._agreed, hypothesis)
        count = common_prefix(self._tail, [word for word in tail if word.end_s <= before_s])
        self._agreed += tail[:count]
        self._tail = tail[count:]
        return Agreement(self._agreed + self._tail, len(self._agreed))


def spoken(word: Word) -> str:
    """The word without case and punctuation, for comparing hypotheses."""
    return re.sub(r"[^\w']", "", word.text).casefold()


def common_prefix(first: Sequence[Word], second: Sequence[Word]) -> int:
    """How many words are the same, from the first."""
    count = 0
    for a, b in zip(first, second, strict=False):
        if spoken(a) != spoken(b):
            break
        count += 1
    return count


def after(agreed: Sequence[Word], hypothesis: Sequence[Word]) -> tuple[Word, ...]:
    """The words of the hypothesis after the agreed ones, none starting before those end."""
    if not agreed:
        return tuple(hypothesis)
    end_s = agreed[-1].end_s
    rest = hypothesis[_counterparts(agreed, hypothesis) :]
    return tuple(replace(word, start_s=max(word.start_s, end_s), end_s=max(word.end_s, end_s)) for word in rest)


def _counterparts(agreed: Sequence[Word], hypothesis: Sequence[Word]) -> int:
    """How many words of the hypothesis, from the first, correspond to the agreed ones.

    The number with the fewest word edits between them (Levenshtein's table, one row per agreed word); in a tie, the one
    whose last word ends nearest to the end of the last agreed word.
    """
    others = [spoken(word) for word in hypothesis]
    edits = list(range(len(others) + 1))
    for count, word in enumerate(map(spoken, agreed), start=1):
        row = [count]
        for at, other in enumerate(others):
            row.append(min(edits[at + 1] + 1, row[at] + 1, edits[at] + (word != other)))
        edits = row
    ends = [0.0, *(word.end_s for word in hypothesis)]
    return min(range(len(edits)), key=lambda count: (edits[count], abs(ends[count] - agreed[-1].end_s)))
