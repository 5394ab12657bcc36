"""Cuts a stream of text into pieces for the voice: the first clause as early as possible, later ones larger.

Every decision depends only on the characters so far, never on how they were split into tokens, and is made when white space
completes a word, so that a number, a time or an abbreviation that may still grow is never cut.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from agent.speech.boundaries import begins_clause, ends_clause, ends_sentence, is_numeric


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkerOptions:
    """How large pieces are."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    first_min_words: int = 3
    """Words of the first piece if it ends in mid-sentence."""
    first_min_chars: int = 12
    """Characters of the first piece if it ends in mid-sentence."""
    sentence_min_words: int = 2
    """Words of the first piece if it is a whole sentence."""
    later_min_chars: int = 24
    """Characters of a later piece that is a whole sentence; shorter ones wait for the next sentence."""
    clause_min_chars: int = 70
    """Characters of a later piece that ends at a comma."""
    max_chars: int = 180
    """No piece is longer, unless a single word is."""


class Chunker:
    """Cuts one reply. Pieces have no surrounding white space; joined with spaces they are the reply."""

    def __init__(self, options: ChunkerOptions | None = None) -> None:
        self._options = options or ChunkerOptions()
        self._buffer = ""
        self._is_first = True

    def push(self, text: str) -> list[str]:
        """Takes the next token; returns the pieces that are complete now, often none."""
        pieces: list[str] = []
        for char in text:
            at_word_end = char.isspace() and self._buffer[-1:].strip() != ""
            self._buffer += char
            if at_word_end:
                pieces += self._cut(ends_line=char == "\n")
            elif len(self._buffer) >= 2 * self._options.max_chars:
                pieces += self._take(len(self._buffer))
        return pieces

    def flush(self) -> list[str]:
        """Ends the reply; returns what is left of it, and is ready for the next."""
        pieces = self._take(len(self._buffer))
        self._is_first = True
        return pieces

    def _cut(self, *, ends_line: bool) -> list[str]:
        words = self._buffer.split()
        last_word_at = len(self._buffer.rstrip()) - len(words[-1])
        before = words[:-1]
        if before and self._opens_piece(before, words[-1]):
            return self._take(last_word_at)
        if self._closes_piece(words, ends_line=ends_line):
            return self._take(len(self._buffer))
        if len(self._buffer) > self._options.max_chars:
            return self._take(_best_cut(self._buffer, words))
        return []

    def _opens_piece(self, before: list[str], word: str) -> bool:
        """Whether a new piece begins with `word`, which has just been completed."""
        if ends_sentence(before[-1], None) is None and ends_sentence(before[-1], word):
            return self._is_long_enough(before, sentence=True)
        return self._is_first and begins_clause(before, word) and self._is_long_enough(before, sentence=False)

    def _closes_piece(self, words: list[str], *, ends_line: bool) -> bool:
        """Whether a piece ends after the last of `words`."""
        if ends_line or ends_sentence(words[-1], None):
            return self._is_long_enough(words, sentence=True)
        return ends_clause(words[-1]) and self._is_long_enough(words, sentence=False)

    def _is_long_enough(self, words: list[str], *, sentence: bool) -> bool:
        text, options = " ".join(words), self._options
        if any(text.count(opening) > text.count(closing) for opening, closing in ("()", "[]")):
            return False
        if self._is_first and sentence:
            return len(words) >= options.sentence_min_words
        if self._is_first:
            return len(words) >= options.first_min_words and len(text) >= options.first_min_chars
        return len(text) >= (options.later_min_chars if sentence else options.clause_min_chars)

    def _take(self, end: int) -> list[str]:
        piece, self._buffer = self._buffer[:end].strip(), self._buffer[end:].lstrip()
        if not piece:
            return []
        self._is_first = False
        return [piece]


def _best_cut(text: str, words: list[str]) -> int:
    """Where to cut a piece that has grown too long: the last clause, else the last conjunction, else the last word."""
    candidates: list[tuple[int, int]] = []
    end = 0
    for before, after in pairwise(words):
        end = text.index(before, end) + len(before)
        rank = 3 if ends_clause(before) else 2 if begins_clause([before], after) else 1
        if not (is_numeric(before) or is_numeric(after)) or rank == 3:
            candidates.append((rank, end))
    usable = [found for found in candidates if found[1] >= len(text) // 3] or candidates
    return max(usable)[1] if usable else len(text.rstrip()) - len(words[-1]) or len(text)
