"""Where written text may be cut: ends of sentences and clauses, told apart from abbreviations, initials and list numbers."""

import re

from agent.speech.calendar_words import MONTHS, WEEKDAYS


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TITLES = _words("dr mr mrs ms prof rev sr jr fr capt lt col gen sgt hon mt ft")
"""Never taken for the end of a sentence."""
_BEFORE_NUMBERS = _words("no nos tel ext fig p pp vol apt rm")
"""Abbreviations only before a number; otherwise words that may end a sentence."""
_OTHERS = _words(
    "st ave rd blvd ln e.g i.e vs approx appt appts dept est etc inc ltd co min max hr hrs mins sec wk wks mo yr yrs tab "
    "tabs cap caps tsp tbsp oz lb lbs jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri "
    "sat sun"
)
"""End a sentence only before a word that begins one."""
_CALENDAR = frozenset(name.lower() for name in (*WEEKDAYS, *MONTHS))
"""Capitalized even in the middle of a sentence."""
_CLOSERS = "\"'”’»)]*_`"
_DOTTED = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")

CONJUNCTIONS = _words("and but or so because although while unless whereas")


def ends_sentence(word: str, following: str | None) -> bool | None:
    """Whether `word` ends a sentence; None if only the next word can tell and `following` is None."""
    bare = word.rstrip(_CLOSERS)
    if bare.endswith(("!", "?", "…", "。", "！", "？")):
        return True
    if not bare.endswith("."):
        return False
    stem = bare.rstrip(".").lstrip("(\"'“‘*_[").lower()
    if bare.endswith(".."):
        return _begins_sentence(following)
    if stem in _TITLES or (len(stem) == 1 and bare[-2:-1].isupper()):
        return False
    if stem in _BEFORE_NUMBERS:
        return None if following is None else not following[:1].isdigit()
    if stem in _OTHERS or _DOTTED.fullmatch(stem):
        return _begins_sentence(following)
    return True


def ends_clause(word: str) -> bool:
    """Whether a clause ends with `word`: a comma, semicolon, colon or dash."""
    return word.rstrip(_CLOSERS).endswith((",", ";", ":", "—", "–")) or word in ("-", "--")


def begins_clause(words: list[str], conjunction: str) -> bool:
    """Whether `conjunction`, coming after `words`, opens a clause (and does not hold a number or a pair together)."""
    if conjunction.lower() not in CONJUNCTIONS or words[-1].lower() in ("hundred", "thousand", "million"):
        return False
    return not {"between", "both", "either"} & {word.lower() for word in words[-3:]}


def is_calendar_word(word: str) -> bool:
    """Whether it is a weekday or a month, which are capitalized anywhere."""
    return word.rstrip(".,;:!?").lower() in _CALENDAR


def is_numeric(word: str) -> bool:
    """Whether `word` may be part of a number, time, date or amount that must stay together."""
    return any(char.isdigit() for char in word)


def _begins_sentence(following: str | None) -> bool | None:
    if following is None:
        return None
    opening = following.lstrip("(\"'“‘*_[")
    return opening[:1].isupper() and not is_calendar_word(opening)
