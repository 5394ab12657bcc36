"""Signs that stand for words."""

import re

_PER = re.compile(r"\s?/\s?(day|week|month|year|hour|hr|min|minute|night|person|visit|tablet|dose|mo|yr)\b")
_PER_WORDS = {"hr": "hour", "min": "minute", "mo": "month", "yr": "year"}
_AMOUNTS = {"<=": "at most", ">=": "at least", "≤": "at most", "≥": "at least", "<": "less than", ">": "more than", "~": "about", "≈": "about", "±": "plus or minus", "+/-": "plus or minus"}  # fmt: skip
_AMOUNT = re.compile(rf"({'|'.join(map(re.escape, sorted(_AMOUNTS, key=len, reverse=True)))})\s?(?=[$€£.]?\d)")
_COUNT = re.compile(r"(?<=\d)\s?[x×](?=\s|[.,;:!?)/]|$)|(?<=\d)\s?[x×]\s?(?=\d)")
_NUMBER_SIGN = re.compile(r"#\s?(?=\d)")
_MORE = re.compile(r"(?<=\d)\+(?!\s?\d)")
_BETWEEN_DIGITS = {"+": "plus", "=": "equals", "÷": "divided by", ":": "to", "/": "over", "^": "to the power of"}
_DIGIT_SIGN = re.compile(r"(?<=\d)\s?([+=÷:/^])\s?(?=\d)")
_WORD_SIGNS = {"&": "and", "+": "plus", "=": "equals", "@": "at", "→": "to", "⇒": "to", "°": "degrees", "%": "percent", "×": "times", "§": "section", "$": "dollars", "€": "euros", "£": "pounds", "¥": "yen", "¢": "cents"}  # fmt: skip
_WORD_SIGN = re.compile("[" + re.escape("".join(_WORD_SIGNS)) + "]")
_EITHER = re.compile(r"(?<=\w)\s?/\s?(?=\w)")


def read_amount_signs(text: str) -> str:
    """Signs around numbers, while the numbers are still digits: '<5' -> 'less than 5', '#5' -> 'number 5', '2x' -> '2 times'."""
    text = _AMOUNT.sub(lambda m: _AMOUNTS[m[1]] + " ", text)
    text = _NUMBER_SIGN.sub("number ", text)
    text = _PER.sub(lambda m: f" per {_PER_WORDS.get(m[1], m[1])}", text)
    text = _COUNT.sub(" times ", text)
    text = _DIGIT_SIGN.sub(lambda m: f" {_BETWEEN_DIGITS[m[1]]} ", text)
    return _MORE.sub(" plus", text)


def read_signs(text: str) -> str:
    """'&' -> 'and', '@' -> 'at', 'his/her' -> 'his or her'."""
    return _WORD_SIGN.sub(lambda m: f" {_WORD_SIGNS[m[0]]} ", _EITHER.sub(" or ", text))
