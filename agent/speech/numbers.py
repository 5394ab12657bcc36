"""All remaining numbers: ordinals, ranges, years, codes, negatives, decimals. No digit remains after this."""

import re

from agent.speech.number_words import NUMBER, cardinal, digits, number, ordinal, year

_ORDINAL = re.compile(r"(?<![\w.])(\d{1,3}(?:,\d{3})+|\d{1,15})(st|nd|rd|th)\b", re.I)
_ORDINAL_RANGE = re.compile(r"(?<=\d)(st|nd|rd|th)\s?[-–]\s?(?=\d+(?:st|nd|rd|th)\b)", re.I)
_GROUPED_CODE = re.compile(r"(?<![\w.])\d+(?:-\d+){2,}(?![\w-])")
_CODE = re.compile(r"\b((?:code|zip|pin|ID|I-D|account|member|patient|case|reference|confirmation|policy|claim|number)\b[^\w\n]{0,3}(?:(?:number|is|code)\b[^\w\n]{0,3}){0,2})(\d{4,})(?![\d,.]\d)", re.I)  # fmt: skip
_RANGE = re.compile(rf"(?<![\w-])({NUMBER})\s?[-–—]\s?(?=(?:{NUMBER})(?![\d-]))")
_NEGATIVE = re.compile(r"(?<![\w.)-])-\s?(?=\.?\d)")
_VERSION = re.compile(r"\d+(?:\.\d+){2,}")
_LEADING_POINT = re.compile(r"(?<![\w.])\.(?=\d)")
_YEAR = re.compile(r"(?<![\d.,])(19\d\d|20\d\d)(?![\d]|[,.]\d)(?!\s+(?!years?\b|this\b|was\b|is\b|has\b)[a-z]+s\b)")
_NUMBER = re.compile(NUMBER)
_TOUCHING = re.compile(r"(?<=[^\W\d_])-?(?=\d)|(?<=\d)(?:-(?=[^\W\d_])|(?=[^\W\d_]))")


def read_numbers(text: str) -> str:
    """'1,234' -> 'one thousand two hundred and thirty four', '2-3' -> 'two to three', '-5' -> 'minus five', 'B12' -> 'B twelve'."""
    text = _ORDINAL.sub(lambda m: ordinal(int(m[1].replace(",", ""))), _ORDINAL_RANGE.sub(r"\1 to ", text))
    text = _GROUPED_CODE.sub(lambda m: ", ".join(map(digits, m[0].split("-"))), text)
    text = _CODE.sub(lambda m: m[1] + digits(m[2]), text)
    text = _RANGE.sub(r"\1 to ", text)
    text = _NEGATIVE.sub("minus ", text)
    text = _VERSION.sub(lambda m: " point ".join(cardinal(int(part[:15])) for part in m[0].split(".")), text)
    text = _YEAR.sub(lambda m: year(int(m[1])), _LEADING_POINT.sub("0.", text))
    text = _TOUCHING.sub(" ", text)
    return _NUMBER.sub(lambda m: number(m[0]), text)
