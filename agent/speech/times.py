"""Times of day. 'AM' and 'PM' are written so that voices read them as letters."""

import re

from agent.speech.boundaries import is_calendar_word
from agent.speech.number_words import cardinal

_DOTTED = re.compile(r"(?<![A-Za-z.])([ap])\.\s?m\b(\.?)", re.I)
_AFTER_DIGIT = re.compile(r"(?<=\d)\s?([ap])m\b", re.I)
_BOUND = r"\d{1,2}(?::\d{2})?(?:\s?[AP]M)?"
_RANGE = re.compile(rf"(?<![\d:.,/-])({_BOUND})\s*[-–—]\s*({_BOUND})(?![\d:/-])")
_CLOCK = re.compile(r"(?<![\d:.,/])([01]?\d|2[0-4]):([0-5]\d)(?::[0-5]\d)?(?:\s?([AP]M)\b)?(?![\d:])")
_HOUR = re.compile(r"(?<![\d:.,/-])(0?[1-9]|1[0-2])\s?([AP]M)\b")


def read_times(text: str) -> str:
    """'3:30 pm' -> 'three thirty PM', '15:30' -> 'three thirty PM', '9:00' -> 'nine o'clock'."""
    text = _DOTTED.sub(_half, text)
    text = _AFTER_DIGIT.sub(lambda m: f" {m[1].upper()}M", text)
    text = _RANGE.sub(lambda m: f"{m[1]} to {m[2]}" if ":" in m[0] or "M" in m[0] else m[0], text)
    text = _CLOCK.sub(lambda m: _say(int(m[1]), int(m[2]), m[3] or ""), text)
    return _HOUR.sub(lambda m: _say(int(m[1]), 0, m[2]), text)


def _half(match: re.Match[str]) -> str:
    """'a.m.' without its dots, except one that ends the sentence."""
    rest = match.string[match.end() :]
    following = rest.split()[:1]
    at_end = not rest.strip() or (following[0][:1].isupper() and not is_calendar_word(following[0]))
    return f"{match[1].upper()}M" + ("." if match[2] and at_end else "")


def _say(hour: int, minute: int, half: str) -> str:
    if hour in (0, 24) or hour > 12:
        half = "AM" if hour in (0, 24) else "PM"
    spoken_hour = cardinal((hour - 1) % 12 + 1)
    if not minute:
        return spoken_hour + " " + (half or "o'clock")
    return f"{spoken_hour} {'oh ' if minute < 10 else ''}{cardinal(minute)} {half}".rstrip()
