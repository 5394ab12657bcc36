"""Numbers as callers say them, up to what days and times need."""

from agent.speech.number_words import cardinal, ordinal

_ONES = {cardinal(value): value for value in range(20)}
_TENS = {cardinal(value): value for value in (20, 30, 40, 50)}
_CARDINALS = _ONES | _TENS | {"oh": 0, "o": 0, "a": 1, "an": 1}
_ORDINALS = {ordinal(value): value for value in (*range(21), 30)}
_MAX_DIGITS = 9
"""A longer number names neither a day nor a time."""


def read_cardinal(words: list[str], start: int = 0) -> tuple[int, int] | None:
    """The number that begins at `start` ('five', 'twenty five', 'oh five', '25') and how many words it takes."""
    if start >= len(words):
        return None
    word, following = words[start], words[start + 1] if start + 1 < len(words) else ""
    if word.isdecimal():
        return (int(word), 1) if len(word) <= _MAX_DIGITS else None
    if word in _TENS and 0 < _CARDINALS.get(following, 0) < 10:
        return _TENS[word] + _CARDINALS[following], 2
    if word in ("oh", "o", "zero") and 0 < _ONES.get(following, 0) < 10:
        return _ONES[following], 2
    return (_CARDINALS[word], 1) if word in _CARDINALS else None


def read_ordinal(words: list[str], start: int = 0) -> tuple[int, int] | None:
    """The ordinal that begins at `start` ('third', 'twenty first', '24th') and how many words it takes."""
    if start >= len(words):
        return None
    word, following = words[start], words[start + 1] if start + 1 < len(words) else ""
    if word[:-2].isdecimal() and word[-2:] in ("st", "nd", "rd", "th"):
        return (int(word[:-2]), 1) if len(word) <= _MAX_DIGITS else None
    if word in _TENS and 0 < _ORDINALS.get(following, 0) < 10:
        return _TENS[word] + _ORDINALS[following], 2
    return (_ORDINALS[word], 1) if word in _ORDINALS else None
