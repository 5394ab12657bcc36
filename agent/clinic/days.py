"""Days as callers say them, and back into words. Today's date is always an argument."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from agent.clinic.number_words import read_cardinal, read_ordinal
from agent.speech import calendar_words
from agent.speech.number_words import ordinal

WEEKDAYS = tuple(name.lower() for name in calendar_words.WEEKDAYS)
_MONTHS = tuple(name.lower() for name in calendar_words.MONTHS)

PartOfDay = Literal["morning", "afternoon", "evening"]
_PARTS: dict[str, PartOfDay] = {
    "morning": "morning",
    "afternoon": "afternoon",
    "evening": "evening",
    "tonight": "evening",
}
_SOON = re.compile(
    r"\b(as soon as possible|soonest|earliest|next available|first available|any ?day|any ?time|whenever)\b"
)
_RELATIVE = {"today": 0, "tonight": 0, "tomorrow": 1, "yesterday": -1}


@dataclass(frozen=True, slots=True)
class SpokenDay:
    """A day that a caller named."""

    date: date
    part: PartOfDay | None = None


def parse_day(text: str, today: date) -> SpokenDay | None:
    """The day that `text` names, or None. A date that has passed this year means next year's.

    A weekday is the next one to come (on a Tuesday, 'tuesday' is in a week); 'next tuesday' is the Tuesday of the
    next calendar week, which begins on Monday.
    """
    lowered = text.lower()
    words = re.sub(r"[^\w\s/-]", " ", lowered).split()
    part = next((_PARTS[word] for word in words if word in _PARTS), None)
    readings = (_numeric, _day_of_month, _relative, _weekday, _ordinal_alone, _vague)
    found = next((day for read in readings if (day := read(words, today)) is not None), None)
    return SpokenDay(found, part) if found else None


def say_day(day: date, today: date) -> str:
    """The shortest words that `parse_day` reads back as `day`: 'today', 'tuesday', 'next friday', 'march third'."""
    if day == today:
        return "today"
    weekday = WEEKDAYS[day.weekday()]
    for words in (weekday, f"next {weekday}"):
        spoken = parse_day(words, today)
        if spoken and spoken.date == day:
            return words
    return f"{_MONTHS[day.month - 1]} {ordinal(day.day)}"


def _numeric(words: list[str], today: date) -> date | None:
    """2026-11-24, 11/24, 11/24/2026."""
    for word in words:
        if iso := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", word):
            return _date(int(iso[1]), int(iso[2]), int(iso[3]))
        if slashed := re.fullmatch(r"(\d{1,2})/(\d{1,2})(?:/(\d{2,4}))?", word):
            month, day = int(slashed[1]), int(slashed[2])
            if slashed[3]:
                return _date(int(slashed[3]) % 100 + 2000, month, day)
            return _coming(month, day, today)
    return None


def _day_of_month(words: list[str], today: date) -> date | None:
    """'march third', 'the third of march', 'march 3 2027'."""
    at = next((i for i, word in enumerate(words) if _month(word)), None)
    if at is None:
        return None
    month = _month(words[at])
    after = words[at + 1 :]
    if after[:1] == ["the"]:
        after = after[1:]
    day = read_ordinal(after) or read_cardinal(after) or _number_before(words, at)
    if day is None:
        return None
    year = next((int(word) for word in words if re.fullmatch(r"20\d\d", word)), None)
    return _date(year, month, day[0]) if year else _coming(month, day[0], today)


def _number_before(words: list[str], at: int) -> tuple[int, int] | None:
    """The number that ends just before `at`, or before the 'of' there."""
    end = at - 1 if words[at - 1 : at] == ["of"] else at
    for start in (end - 2, end - 1):
        for read in (read_ordinal, read_cardinal):
            found = read(words[:end], start) if start >= 0 else None
            if found and start + found[1] == end:
                return found
    return None


def _relative(words: list[str], today: date) -> date | None:
    """'tomorrow', 'the day after tomorrow', 'in three days', 'two weeks from today'."""
    if {"day", "after", "tomorrow"} <= set(words):
        return today + timedelta(days=2)
    for i, word in enumerate(words):
        count = read_cardinal(words, i)
        unit = words[i + count[1]] if count and i + count[1] < len(words) else ""
        if count and unit in ("day", "days", "week", "weeks") and ("in" in words[:i] or "from" in words[i:]):
            start = _weekday(words[i:], today) or today
            return _days_after(start, count[0] * (7 if unit.startswith("week") else 1))
        if word in _RELATIVE:
            return today + timedelta(days=_RELATIVE[word])
    if "this" in words and any(word in _PARTS for word in words) and not any(word in WEEKDAYS for word in words):
        return today
    return None


def _weekday(words: list[str], today: date) -> date | None:
    """'tuesday', 'this tuesday', 'next tuesday', 'last tuesday', 'next week', 'the weekend'."""
    named = next((number for word in words if (number := _weekday_number(word)) is not None), None)
    monday = today - timedelta(days=today.weekday())
    if named is None:
        if "weekend" in words or "weekends" in words:
            named = 5
        elif "week" in words and "next" in words:
            return monday + timedelta(days=7)
        else:
            return None
    if "next" in words:
        return monday + timedelta(days=7 + named)
    ahead = (named - today.weekday() - 1) % 7 + 1
    return today + timedelta(days=ahead - 7 if "last" in words else ahead)


def _ordinal_alone(words: list[str], today: date) -> date | None:
    """'the third': of this month, or of the next that has such a day. 'may' and 'march' need not be months here."""
    day = next((found[0] for i in range(len(words)) if (found := read_ordinal(words, i))), None)
    if day is None or "one" in words or {_month(word) for word in words} - {0, 3, 5}:
        return None
    for ahead in range(13):
        month = today.month - 1 + ahead
        coming = _date(today.year + month // 12, month % 12 + 1, day)
        if coming and coming >= today:
            return coming
    return None


def _vague(words: list[str], today: date) -> date | None:
    """'as soon as possible', 'any day'."""
    return today if _SOON.search(" ".join(words)) else None


def _month(word: str) -> int:
    """1 to 12, or 0. 'may' and 'march' count: callers use them in dates more often than anywhere else."""
    return next((i for i, month in enumerate(_MONTHS, 1) if word in (month, month[:3])), 0)


def _weekday_number(word: str) -> int | None:
    singular = word.removesuffix("s")
    return next((i for i, name in enumerate(WEEKDAYS) if singular in (name, name[:3], name[:4])), None)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _days_after(start: date, days: int) -> date | None:
    try:
        return start + timedelta(days=days)
    except OverflowError:
        return None


def _coming(month: int, day: int, today: date) -> date | None:
    """The next such day; 29 February may be years away."""
    years = range(today.year, today.year + 9)
    return next((found for year in years if (found := _date(year, month, day)) and found >= today), None)
