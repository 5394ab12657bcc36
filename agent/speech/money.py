"""Amounts of money."""

import re

from agent.speech.number_words import NUMBER, cardinal, number, plural

_SIGNS = {"$": ("dollar", "cent"), "€": ("euro", "cent"), "£": ("pound", "penny"), "¥": ("yen", "")}
_CODES = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_SCALES = {"k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion", "t": "trillion"}
_SCALE = r"(?:\s?(thousand|million|billion|trillion)\b|(k|K|m|M|mn|bn|B|T)\b)?"

_CODE_BEFORE = re.compile(rf"\b({'|'.join(_CODES)})\s?(?={NUMBER})")
_CODE_AFTER = re.compile(rf"(?<![\w.,$€£¥])({NUMBER})\s?({'|'.join(_CODES)})\b")
_SIGN_AFTER = re.compile(rf"(?<![\w.,$€£¥])({NUMBER})\s?([€£])(?!\d)")
_RANGE = re.compile(rf"([$€£¥])\s?({NUMBER})\s?[-–]\s?(?:\1\s?)?({NUMBER})(?![-\d])")
_AMOUNT = re.compile(rf"(\ban? )?(-)?(?:\b(US|C|A))?([$€£¥])\s?({NUMBER}){_SCALE}(?![\d])")
_CENTS = re.compile(rf"(?<![\w.,])({NUMBER})\s?¢")


def read_money(text: str) -> str:
    """'$4.50' -> 'four dollars and fifty cents', '£3m' -> 'three million pounds'."""
    text = _CODE_BEFORE.sub(lambda m: _CODES[m[1]], text)
    text = _CODE_AFTER.sub(lambda m: _CODES[m[2]] + m[1], text)
    text = _SIGN_AFTER.sub(lambda m: m[2] + m[1], text)
    text = _RANGE.sub(lambda m: f"{number(m[2])} to {m[1]}{m[3]}", text)
    text = _AMOUNT.sub(_amount, text)
    return _CENTS.sub(lambda m: f"{number(m[1])} {plural('cent', m[1])}", text)


def _amount(match: re.Match[str]) -> str:
    article, minus, sign, digits = match[1] or "", "minus " if match[2] else "", match[4], match[5]
    unit = _SIGNS[sign][0]
    scale = match[6] or _SCALES.get((match[7] or "").lower(), "")
    if article and "." not in digits:
        return f"{article}{number(digits)} {scale} {unit}".replace("  ", " ")
    if scale:
        return f"{article}{minus}{number(digits)} {scale} {_many(unit)}"
    return article + minus + _exact(sign, digits)


def _exact(sign: str, digits: str) -> str:
    unit, small = _SIGNS[sign]
    whole, _, part = digits.replace(",", "").partition(".")
    if len(part) != 2 or not small:
        return f"{number(digits)} {unit if digits == '1' else _many(unit)}"
    units = f"{number(whole)} {unit if whole == '1' else _many(unit)}"
    cents = f"{cardinal(int(part))} {small if part == '01' else 'pence' if small == 'penny' else small + 's'}"
    if part == "00":
        return units
    return cents if not whole.strip("0") else f"{units} and {cents}"


def _many(unit: str) -> str:
    return unit if unit == "yen" else unit + "s"
