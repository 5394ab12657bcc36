"""Telephone numbers, digit by digit, with a pause between groups."""

import re

from agent.speech.number_words import digits

_SEP = r"[ .\-]"
_NORTH_AMERICAN = re.compile(
    rf"(?<![\w.+-])(?:\+?(1){_SEP}?)?(?:\((\d{{3}})\)\s?|(\d{{3}}){_SEP})(\d{{3}}){_SEP}(\d{{4}})(?![\w-])"
)
_BARE = re.compile(r"(?<![\w.,+$€£-])(1)?([2-9]\d{2})(\d{3})(\d{4})(?![\w,-]|\.\d)")
_INTERNATIONAL = re.compile(r"(?<!\w)\+(\d[\d().\- ]{5,18}\d)(?!\w)")
_NATIONAL = re.compile(rf"(?<![\w.,-])(0\d{{2,4}}(?:{_SEP}\d{{3,6}}){{1,3}})(?![\w-])")
_LOCAL = re.compile(
    r"\b((?:(?:call|phone|telephone|tel|fax|dial|text|ring|reach|number|at|is|on)\b[^\d\n]{0,12})(?=\d{3})|(?=555-))(\d{3})[-. ](\d{4})(?![\w-])",
    re.I,
)
_SHORT = re.compile(
    r"\b((?:call|dial|text|ring|phone|calling|dialing)\s+(?:us\s+(?:at|on)\s+)?)([1-9]\d{2})(?![\w,.-]\w|\d)|\b(911)\b",
    re.I,
)
_EXTENSION = re.compile(r"\b(?:ext|extn|extension)\b\.?\s?#?(\d{1,6})\b|(?<=[a-z]) x(\d{2,5})\b", re.I)


def read_phone_numbers(text: str) -> str:
    """'(555) 123-4567' -> 'five five five, one two three, four five six seven'."""
    text = _NORTH_AMERICAN.sub(_groups, text)
    text = _INTERNATIONAL.sub(lambda m: "plus " + _spaced(m[1]), text)
    text = _NATIONAL.sub(lambda m: _spaced(m[1]), text)
    text = _BARE.sub(_groups, text)
    text = _LOCAL.sub(lambda m: f"{m[1]}{digits(m[2])}, {digits(m[3])}", text)
    text = _SHORT.sub(lambda m: (m[1] or "") + digits(m[2] or m[3]), text)
    return _EXTENSION.sub(lambda m: f" extension {digits(m[1] or m[2])}", text)


def _groups(match: re.Match[str]) -> str:
    country = "plus " if "+" in match[0] else ""
    return country + ", ".join(digits(group) for group in match.groups() if group)


def _spaced(text: str) -> str:
    return ", ".join(digits(group) for group in re.split(r"\D+", text) if group)
