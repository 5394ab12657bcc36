"""Numbers in words: the only place that knows them, so that numbers are spoken and understood alike."""

from functools import lru_cache

from num2words import num2words

NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
"""A number as people write it: 7, 3,000, 4.50."""

_MAX_CARDINAL_DIGITS = 15
"""A longer number is read digit by digit."""
_MIN_CODE_DIGITS = 7
"""A number this long without thousands separators is a code, unless it ends in three zeros."""


@lru_cache(maxsize=256)
def cardinal(number: int) -> str:
    """105 -> 'one hundred and five'."""
    return _plain(str(num2words(number)))


@lru_cache(maxsize=256)
def ordinal(number: int) -> str:
    """21 -> 'twenty first'."""
    return _plain(str(num2words(number, to="ordinal")))


@lru_cache(maxsize=256)
def year(number: int) -> str:
    """2026 -> 'twenty twenty six', 1905 -> 'nineteen oh five'."""
    return _plain(str(num2words(number, to="year")))


def digits(text: str) -> str:
    """'0451' -> 'zero four five one'; anything else is left out."""
    return " ".join(cardinal(int(char)) for char in text if char in "0123456789")


def number(text: str) -> str:
    """'3,000' -> 'three thousand', '4.50' -> 'four point five zero', '007' -> 'zero zero seven'."""
    whole, _, decimals = text.replace(",", "").partition(".")
    if decimals:
        return f"{number(whole or '0')} point {digits(decimals)}"
    is_code = "," not in text and len(whole) >= _MIN_CODE_DIGITS and not whole.endswith("000")
    if is_code or len(whole) > _MAX_CARDINAL_DIGITS or (whole.startswith("0") and len(whole) > 1):
        return digits(whole)
    return cardinal(int(whole))


def plural(noun: str, text: str) -> str:
    """The noun as it stands after the number written as `text`: 'dollar' after 1, 'dollars' after 1.5."""
    if text == "1" or noun.endswith(("percent", "Fahrenheit", "Celsius", "hertz")):
        return noun
    head, space, rest = noun.partition(" ")
    irregular = {"foot": "feet", "inch": "inches"}
    return irregular.get(head, head + "s") + space + rest


def _plain(words: str) -> str:
    return words.replace("-", " ").replace(",", "")
