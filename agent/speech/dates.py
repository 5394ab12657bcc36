"""Dates, years and weekdays, as an American says them."""

import re

from agent.speech.calendar_words import MONTHS, WEEKDAYS
from agent.speech.number_words import cardinal, ordinal, year

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_NAMED = {month[:3].lower(): month for month in MONTHS}
_WEEKDAYS = {day[:3].lower(): day for day in WEEKDAYS}
_DAY = (
    r"(?:Mon(?:day)?|Tue(?:s(?:day)?)?|Wed(?:nesday)?|Thu(?:r(?:s(?:day)?)?)?|Fri(?:day)?|Sat(?:urday)?|Sun(?:day)?)s?"
)

_ISO = re.compile(r"(?<![\d-])(\d{4})-(\d{1,2})-(\d{1,2})(?:T(?=\d\d:)|(?![\d-]))")
_ISO_ZONE = re.compile(r"(?<=:\d\d)Z\b")
_SLASHED = re.compile(r"(?<![\d/.])(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})(?![\d/])")
_DOTTED = re.compile(r"(?<![\d.])(\d{1,2})\.(\d{1,2})\.(\d{4})(?![\d.]\d)")
_MONTH_SLASH_DAY = re.compile(r"(?<![\d/.,$€£])(1[0-2]|0?[1-9])/(3[01]|[12]\d|0?[1-9])(?![\d/%]|\.\d)")
_MONTH_DAY = re.compile(
    rf"\b({_MONTH})\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?(?:\s?[-–]\s?(\d{{1,2}})(?:st|nd|rd|th)?)?(?:,?\s+((?:19|20)\d\d)(?!\d|:))?(?![\w:%]|[,.]\d)",
    re.I,
)
_DAY_MONTH = re.compile(
    rf"\b(the\s+)?(\d{{1,2}})(?:st|nd|rd|th)?\s+(of\s+)?({_MONTH})\b\.?(?:,?\s+((?:19|20)\d\d)(?!\d|:))?", re.I
)
_MONTH_YEAR = re.compile(rf"\b({_MONTH})\.?,?\s+((?:19|20)\d\d)\b")
_MONTH_ALONE = re.compile(
    r"\b(?:(Feb|Apr|Jul|Aug|Sept?|Oct|Nov|Dec)\.|(Jan|Mar|Jun)\.(?=\s+[a-z\d])|(Feb|Apr|Aug|Sept|Oct|Nov|Dec)\b(?!\.))"
)
"""'Jan.' often ends a sentence as a name."""
_DAY_RANGE = re.compile(rf"\b({_DAY}|{_MONTH})\.?\s*[-–—]\s*({_DAY}|{_MONTH})\b")
_DAY_SHORT = re.compile(
    rf"\b(?:(Mon|Tues?|Wed|Thu(?:rs?)?|Fri)\b\.?(?!\w|\s+(?!{_MONTH})[A-Z])"
    r"|(Sat|Sun)(?:\.(?!\w)|(?=,?\s+\d|,?\s+(?:at|from)\b|\s+to\s+(?:Mon|Sun))))"
)
"""Not before a capitalized word: 'Thu Nguyen' is a name."""

_DECADE = re.compile(r"(?<![\w'.,$€£])(?:'?([2-9]0)|((?:18|19|20)\d0))'?s\b")

_FRACTIONS = {"1/2", "1/3", "2/3", "1/4", "3/4", "1/5", "1/8", "3/8", "5/8"}
_BEFORE_DATE = re.compile(
    r"\b(?:on|by|until|till|before|after|since|from|for|to|day|due|date|dated|of birth|DOB)[:,]?\s+$", re.I
)
_BEFORE_FRACTION = re.compile(
    r"(?:\d|\b(?:about|only|take|add|and|pain|score|scored|scale|rate|rated|level)(?: (?:is|was|of|a|at))?:?)\s*$", re.I
)
_AFTER_FRACTION = re.compile(
    r"\s*(?:of|an?|cups?|tabs?|tablets?|pills?|hours?|miles?|inch|teaspoons?|tablespoons?|doses?|tsp|tbsp|mg|mL|full|-)\b",
    re.I,
)


def read_dates(text: str) -> str:
    """'2026-11-24' -> 'November twenty fourth, twenty twenty six', '11/24' -> 'November twenty fourth'."""
    text = _DECADE.sub(_decade, text)
    text = _ISO_ZONE.sub("", _ISO.sub(_iso, text))
    text = _SLASHED.sub(lambda m: _numeric(m, int(m[1]), int(m[2])), text)
    text = _DOTTED.sub(lambda m: _numeric(m, int(m[2]), int(m[1])), text)
    text = _MONTH_SLASH_DAY.sub(_month_slash_day, text)
    text = _MONTH_DAY.sub(_month_day, text)
    text = _DAY_MONTH.sub(_day_month, text)
    text = _MONTH_YEAR.sub(lambda m: f"{_month(m[1])} {year(int(m[2]))}" if _month(m[1]) else m[0], text)
    text = _DAY_RANGE.sub(lambda m: f"{_long(m[1])} to {_long(m[2])}", text)
    text = _MONTH_ALONE.sub(lambda m: _long(m[0]), text)
    return _DAY_SHORT.sub(lambda m: _long(m[0]), text)


def _month(name: str) -> str:
    """'Sept' -> 'September'; empty for a word that only begins like a month."""
    long = _NAMED.get(name[:3].lower(), "")
    is_short = name.lower() in (long[:3].lower(), "sept")
    if name.islower() and long in ("March", "May", "December"):
        return ""
    return long if is_short or name.lower() == long.lower() else ""


def _long(name: str) -> str:
    """The whole name of a weekday or month; other words stay."""
    bare = name.rstrip(".")
    if _month(bare):
        return _month(bare)
    day = _WEEKDAYS.get(bare[:3].lower(), "")
    if not day or (
        not day.lower().startswith(bare.lower().removesuffix("s")) and bare.lower() not in ("tues", "thurs")
    ):
        return name
    return day + ("s" if bare.lower() == day.lower() + "s" else "")


def _say(month: int, day: int, in_year: str = "") -> str:
    spoken = f"{MONTHS[month - 1]} {ordinal(day)}"
    return f"{spoken}, {year(int(in_year))}" if in_year else spoken


def _iso(match: re.Match[str]) -> str:
    month, day = int(match[2]), int(match[3])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match[0]
    return _say(month, day, match[1]) + (" at " if match[0].endswith("T") else "")


def _numeric(match: re.Match[str], month: int, day: int) -> str:
    if month > 12:
        month, day = day, month
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match[0]
    return _say(month, day, match[3] if len(match[3]) == 4 else "20" + match[3])


def _month_slash_day(match: re.Match[str]) -> str:
    """A date, unless the words around make it a fraction or a score."""
    before, after = match.string[: match.start()], match.string[match.end() :]
    if _BEFORE_FRACTION.search(before) or _AFTER_FRACTION.match(after):
        return match[0]
    if match[0] in _FRACTIONS and not _BEFORE_DATE.search(before):
        return match[0]
    return _say(int(match[1]), int(match[2]))


def _month_day(match: re.Match[str]) -> str:
    month, day = _month(match[1]), int(match[2])
    if not month or not 1 <= day <= 31:
        return match[0]
    spoken = f"{month} {ordinal(day)}"
    if match[3]:
        spoken += f" to {ordinal(int(match[3]))}"
    return f"{spoken}, {year(int(match[4]))}" if match[4] else spoken


def _day_month(match: re.Match[str]) -> str:
    month, day = _month(match[4]), int(match[2])
    if not month or not 1 <= day <= 31:
        return match[0]
    in_year = f", {year(int(match[5]))}" if match[5] else ""
    if match[1] or match[3]:
        return f"{match[1] or ''}{ordinal(day)} of {month}{in_year}"
    return f"{month} {ordinal(day)}{in_year}"


def _decade(match: re.Match[str]) -> str:
    spoken = cardinal(int(match[1])) if match[1] else year(int(match[2]))
    return spoken[:-1] + "ies" if spoken.endswith("y") else spoken + "s"
