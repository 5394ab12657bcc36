"""Fractions and scores."""

import re

from agent.speech.number_words import cardinal, ordinal

_MIXED = re.compile(r"(?<![\d/.,])(\d{1,3})\s+(?:and\s+)?(1/2|1/3|2/3|1/4|3/4|[1357]/8)(?![\d/])")
_SIMPLE = re.compile(r"(?<![\d/.,])(\d{1,2})/(\d{1,3})(?![\d/]|\.\d)")
_SCORES = (5, 10, 20, 100)
_PARTS = {2: "half", 4: "quarter"}


def read_fractions(text: str) -> str:
    """'1/2' -> 'one half', '2 1/2' -> 'two and a half', '7/10' -> 'seven out of ten', '24/7' -> 'twenty four seven'."""
    text = text.replace("24/7", "twenty four seven")
    text = _MIXED.sub(lambda m: f"{cardinal(int(m[1]))} and {_article(_fraction(*map(int, m[2].split('/'))))}", text)
    return _SIMPLE.sub(_simple, text)


def _simple(match: re.Match[str]) -> str:
    above, below = int(match[1]), int(match[2])
    if 0 < above < below <= 9:
        return _fraction(above, below)
    if above <= below and below in _SCORES:
        return f"{cardinal(above)} out of {cardinal(below)}"
    return f"{cardinal(above)} over {cardinal(below)}"


def _fraction(above: int, below: int) -> str:
    part = _PARTS.get(below) or ordinal(below)
    many = "halves" if below == 2 else part + "s"
    return f"one {part}" if above == 1 else f"{cardinal(above)} {many}"


def _article(fraction: str) -> str:
    """'one half' after a whole number is 'a half'."""
    return fraction.replace("one ", "an " if fraction.endswith("eighth") else "a ", 1)
