"""Times of day as callers say them, and back into words."""

import re
from datetime import time

from agent.clinic.days import PartOfDay
from agent.clinic.number_words import read_cardinal
from agent.speech.number_words import cardinal

_FIXED = {"noon": time(12), "midday": time(12), "midnight": time(0)}
_BEFORE_ONE = ("first", "second", "last", "other", "that", "this", "which", "early", "late", "earlier", "later")
"""'the first one' is not a time."""
_FRACTION = {"half": 30, "quarter": 15}


def parse_time(
    text: str, *, opens: time = time(7), closes: time = time(19), part: PartOfDay | None = None
) -> time | None:
    """The time of day that `text` names, or None.

    Without 'a m' or 'in the afternoon', the reading that falls within the opening hours wins; if neither does, hours below
    seven are in the afternoon.
    """
    words = _words(text)
    fixed = next((_FIXED[word] for word in words if word in _FIXED), None)
    if fixed is not None:
        return fixed
    read = _past_or_to(words) or _clock(words)
    if read is None or not (0 <= read[0] <= 23 and 0 <= read[1] <= 59):
        return None
    return _in_half(read[0], read[1], _half(words, part), (opens, closes))


def say_time(moment: time) -> str:
    """'ten', 'ten thirty', 'two oh five'. The opening hours tell morning from afternoon."""
    hour = cardinal((moment.hour - 1) % 12 + 1)
    if not moment.minute:
        return hour
    return f"{hour} {'oh ' if moment.minute < 10 else ''}{cardinal(moment.minute)}"


def _words(text: str) -> list[str]:
    lowered = text.lower().replace("o'clock", " ").replace("oclock", " ").replace("half-past", "half past")
    lowered = re.sub(r"\b([ap])\.?\s?m\b\.?", r" \1m ", re.sub(r"(\d)([ap])\.?m\b", r"\1 \2m", lowered))
    return re.sub(r"(?<=\d)[:.h](?=\d\d)|[^\w\s]", " ", lowered).split()


def _past_or_to(words: list[str]) -> tuple[int, int] | None:
    """'half past two', 'quarter to four', 'ten past nine'."""
    at = next((i for i, word in enumerate(words) if word in ("past", "after", "to", "til") and i > 0), None)
    hour = read_cardinal(words, at + 1) if at is not None else None
    if at is None or hour is None:
        return None
    minutes = _FRACTION.get(words[at - 1])
    if minutes is None:
        before = [w for w in words[:at] if w != "minutes"]
        spoken = (read_cardinal(before, len(before) - 2) if len(before) > 1 else None) or read_cardinal(
            before, len(before) - 1
        )
        if spoken is None:
            return None
        minutes = spoken[0]
    if words[at] in ("past", "after"):
        return hour[0], minutes
    return ((hour[0] - 1) or 12, 60 - minutes) if minutes else hour


def _clock(words: list[str]) -> tuple[int, int] | None:
    """'ten', 'ten thirty', 'ten oh five', '10 30', '1530'."""
    for i, word in enumerate(words):
        if re.fullmatch(r"\d{3,4}", word):
            return int(word[:-2]), int(word[-2:])
        is_choice = word == "one" and words[max(0, i - 1)] in _BEFORE_ONE
        hour = None if is_choice or word in ("a", "an", "o", "oh") else read_cardinal(words, i)
        if hour is None:
            continue
        minute = read_cardinal(words, i + hour[1])
        if hour[1] == 2 and hour[0] > 23:
            continue
        return hour[0], minute[0] if minute else 0
    return None


def _half(words: list[str], part: PartOfDay | None) -> str | None:
    """'am', 'pm' or None."""
    if "am" in words or "morning" in words:
        return "am"
    if "pm" in words or {"afternoon", "evening", "night", "tonight"} & set(words):
        return "pm"
    return {"morning": "am", "afternoon": "pm", "evening": "pm", None: None}[part]


def _in_half(hour: int, minute: int, half: str | None, hours: tuple[time, time]) -> time:
    if hour > 12 or hour == 0:
        return time(hour, minute)
    early, late = time(hour % 12, minute), time(hour % 12 + 12, minute)
    if half:
        return early if half == "am" else late
    within = [candidate for candidate in (early, late) if hours[0] <= candidate < hours[1]]
    if within:
        return within[0]
    return late if hour < 7 or hour == 12 else early
