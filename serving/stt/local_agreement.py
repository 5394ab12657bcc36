"""Words of growing audio that will not change any more: LocalAgreement-2 (Macháček et al. 2023, arXiv 2307.14743).

A word is agreed once two hypotheses in a row begin with the same words up to it. Agreed words are only ever added to.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from serving.speech import Word


@dataclass(frozen=True, slots=True)
class Agreement:
    """What to show now."""

    words: tuple[Word, ...]
    agreed: int
    """How many leading words are settled."""


class LocalAgreement:
    """The interim words of one utterance."""

    def __init__(self) -> None:
        self._agreed: tuple[Word, ...] = ()
        self._tail: tuple[Word, ...] = ()

    def push(self, hypothesis: Sequence[Word], *, before_s: float = math.inf) -> Agreement:
        """The agreed words, unchanged, and after them what the hypothesis heard last.

        before_s: words that end later are not agreed on yet: the last one may be half a word.
        """
        tail = tuple(hypothesis)[continuation(self._agreed, hypothesis) :]
        tail = tuple(word for word in tail if not self._agreed or word.end_s > self._agreed[-1].end_s)
        count = common_prefix(self._tail, [word for word in tail if word.end_s <= before_s])
        self._agreed += tail[:count]
        self._tail = tail[count:]
        return Agreement(self._agreed + self._tail, len(self._agreed))


def spoken(word: Word) -> str:
    """The word without case and punctuation: how two hypotheses are compared."""
    return re.sub(r"[^\w']", "", word.text).casefold()


def common_prefix(first: Sequence[Word], second: Sequence[Word]) -> int:
    """How many leading words are the same."""
    count = 0
    for a, b in zip(first, second, strict=False):
        if spoken(a) != spoken(b):
            break
        count += 1
    return count


def continuation(agreed: Sequence[Word], hypothesis: Sequence[Word]) -> int:
    """How many leading words of the hypothesis stand for the agreed ones: the split with the fewest edits between them.

    Where several splits need as few, the one nearest to as many words as were agreed.
    """
    edits = list(range(len(hypothesis) + 1))  # turning agreed[:i] into hypothesis[:j], for the row i = 0
    for i, word in enumerate(agreed, start=1):
        row = [i]
        for j, other in enumerate(hypothesis, start=1):
            same = spoken(word) == spoken(other)
            row.append(min(edits[j] + 1, row[j - 1] + 1, edits[j - 1] + (not same)))
        edits = row
    return min(range(len(edits)), key=lambda j: (edits[j], abs(j - len(agreed)), j))
