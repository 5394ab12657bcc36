"""Number words as callers say them, up to what days and times need, and back."""

_UNITS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
_ONES = f"{_UNITS} sixteen seventeen eighteen nineteen".split()
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50}
_RANKS = (
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth"
)
_ORDINALS = f"{_RANKS} fifteenth sixteenth seventeenth eighteenth nineteenth".split()
_TENTHS = {"twentieth": 20, "thirtieth": 30}

CARDINAL = {word: value for value, word in enumerate(_ONES)} | _TENS | {"oh": 0, "o": 0, "a": 1, "an": 1}
ORDINAL = {word: value for value, word in enumerate(_ORDINALS)} | _TENTHS


def cardinal(words: list[str], start: int = 0) -> tuple[int, int] | None:
    """The number that begins at `start` (words or digits, below 60) and how many words it takes."""
    if start >= len(words):
        return None
    word = words[start]
    if word.isdecimal():
        return int(word), 1
    if word in _TENS and start + 1 < len(words) and 0 < CARDINAL.get(words[start + 1], 0) < 10:
        return _TENS[word] + CARDINAL[words[start + 1]], 2
    if word in ("oh", "o", "zero") and start + 1 < len(words) and words[start + 1] in _ONES[1:10]:
        return CARDINAL[words[start + 1]], 2
    return (CARDINAL[word], 1) if word in CARDINAL else None


def ordinal(words: list[str], start: int = 0) -> tuple[int, int] | None:
    """The ordinal that begins at `start` ('third', 'twenty first', '24th') and how many words it takes."""
    if start >= len(words):
        return None
    word = words[start]
    if word[:-2].isdecimal() and word[-2:] in ("st", "nd", "rd", "th"):
        return int(word[:-2]), 1
    if word in _TENS and start + 1 < len(words) and 0 < ORDINAL.get(words[start + 1], 0) < 10:
        return _TENS[word] + ORDINAL[words[start + 1]], 2
    return (ORDINAL[word], 1) if word in ORDINAL else None


def say_cardinal(number: int) -> str:
    """0 to 59 in words."""
    if number < 20:
        return _ONES[number]
    tens, ones = divmod(number, 10)
    word = next(word for word, value in _TENS.items() if value == tens * 10)
    return f"{word} {_ONES[ones]}" if ones else word


def say_ordinal(number: int) -> str:
    """1 to 59 in words: 'third', 'twenty first'."""
    if number < 20:
        return _ORDINALS[number]
    tens, ones = divmod(number, 10)
    if not ones:
        return next(word for word, value in _TENTHS.items() if value == number)
    return f"{say_cardinal(tens * 10)} {_ORDINALS[ones]}"
