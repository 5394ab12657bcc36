"""Titles and abbreviations, spelled out."""

import re

_TITLES = {
    "Dr": "Doctor", "Drs": "Doctors", "Mr": "Mister", "Mrs": "Missus", "Ms": "Miz", "Prof": "Professor", "Rev": "Reverend",
    "Fr": "Father", "Sgt": "Sergeant", "Capt": "Captain", "Lt": "Lieutenant", "Col": "Colonel", "Gen": "General",
    "Hon": "Honorable", "Mt": "Mount", "Ft": "Fort",
}  # fmt: skip
_STREETS = {
    "St": "Street",
    "Ave": "Avenue",
    "Rd": "Road",
    "Blvd": "Boulevard",
    "Ln": "Lane",
    "Dr": "Drive",
    "Pkwy": "Parkway",
    "Hwy": "Highway",
    "Sq": "Square",
}
_ANYWHERE = {
    "e.g": "for example", "i.e": "that is", "etc": "et cetera", "vs": "versus", "approx": "approximately", "appt": "appointment",
    "appts": "appointments", "dept": "department", "est": "estimated", "max": "maximum", "min": "minimum", "incl": "including",
    "excl": "excluding", "avg": "average", "temp": "temperature", "pt": "patient", "pts": "patients", "tel": "telephone",
    "bldg": "building", "jr": "Junior", "sr": "Senior", "inc": "Incorporated", "ltd": "Limited", "corp": "Corporation",
    "co": "Company", "govt": "government", "hosp": "hospital", "meds": "meds", "ext": "extension", "a.k.a": "also known as",
    "p.s": "P-S", "u.s": "U-S", "u.s.a": "U-S-A", "u.k": "U-K", "m.d": "M-D", "ph.d": "P-H-D", "r.n": "R-N", "d.o.b": "date of birth",
    "yr": "year", "yrs": "years", "wk": "week", "wks": "weeks", "mo": "month", "mos": "months", "hr": "hour", "hrs": "hours",
    "mins": "minutes", "secs": "seconds", "tabs": "tablets", "tsp": "teaspoon", "tbsp": "tablespoon", "lbs": "pounds", "oz": "ounces",
}  # fmt: skip
_UNDOTTED = {
    "appt": "appointment", "appts": "appointments", "approx": "approximately", "vs": "versus", "etc": "et cetera", "dept": "department",
    "ASAP": "as soon as possible", "aka": "also known as", "TBD": "to be determined", "TBA": "to be announced", "N/A": "not applicable",
    "w/o": "without", "w/": "with ", "b/c": "because", "c/o": "care of", "mins": "minutes", "hrs": "hours", "PhD": "P-H-D", "pls": "please",
    "and/or": "or", "A&E": "A-and-E", "R&D": "R-and-D", "Q&A": "Q-and-A",
}  # fmt: skip

_TITLE = re.compile(rf"\b(?:({'|'.join(_TITLES)})\.\s?|(Drs?|Mrs?|Ms|Prof)\s)(?=[A-Z])")
_STREET = re.compile(rf"(?<=[a-z\d])\s({'|'.join(_STREETS)})(?:\.|(?=\s*(?:,|$|\d)))")
_SAINT = re.compile(r"\bSt\.?\s(?=[A-Z])")
_UNIT_NUMBER = re.compile(r"\b(Apt|Ste|Rm|Fl|Nos?|Pg|pp|Vol|Fig|Ch|Sec|no|nos)\.?\s?(?=#?\d)")
_NUMBERED = {"apt": "apartment", "ste": "suite", "rm": "room", "fl": "floor", "no": "number", "nos": "numbers", "pg": "page", "pp": "pages", "vol": "volume", "fig": "figure", "ch": "chapter", "sec": "section"}  # fmt: skip
_DOTTED = re.compile(rf"(?<![\w.])({'|'.join(map(re.escape, sorted(_ANYWHERE, key=len, reverse=True)))})\.(?!\w)", re.I)
_PLAIN = re.compile(
    rf"(?<![\w./])({'|'.join(map(re.escape, sorted(_UNDOTTED, key=len, reverse=True)))})(?![\w.]\w|(?<!/)\w)"
)


def expand_abbreviations(text: str) -> str:
    """'Dr. Chen' -> 'Doctor Chen', '12 Mill St.' -> '12 Mill Street', 'No. 5' -> 'number 5'."""
    text = _TITLE.sub(_title, text)
    text = _STREET.sub(lambda m: f" {_STREETS[m[1]]}" + _stop(m), text)
    text = _SAINT.sub("Saint ", text)
    text = _UNIT_NUMBER.sub(_unit_number, text)
    text = _DOTTED.sub(_dotted, text)
    return _PLAIN.sub(lambda m: _cased(_UNDOTTED[m[1]], m), text)


def _title(match: re.Match[str]) -> str:
    """'Dr' after a street name is a drive."""
    before = match.string[: match.start()].rsplit(None, 2)
    title = match[1] or match[2]
    if title == "Dr" and len(before) >= 2 and before[-2].isdigit() and before[-1].istitle() and before[-1].isalpha():
        return match[0]
    return _TITLES[title] + " "


def _dotted(match: re.Match[str]) -> str:
    """'max. five' is a maximum, 'Thank you, Max.' is a name."""
    at_end = _stop(match)
    if (
        match[1].istitle()
        and "." not in match[1]
        and at_end
        and match[1] not in ("Jr", "Sr", "Inc", "Ltd", "Corp", "Etc")
    ):
        return match[0]
    return _cased(_ANYWHERE[match[1].lower()], match) + at_end


def _unit_number(match: re.Match[str]) -> str:
    """'No. 5'; but 'no 5 minute wait' has no number in it."""
    word = match[1]
    if word in ("no", "No") and "." not in match[0]:
        return match[0]
    return f"{_NUMBERED[word.lower()]} "


def _stop(match: re.Match[str]) -> str:
    """The abbreviation's dot where it also ends the sentence."""
    return "." if match[0].endswith(".") and re.match(r"[\"')]*(?:\s*$|\s+[A-Z])", match.string[match.end() :]) else ""


def _cased(words: str, match: re.Match[str]) -> str:
    """Capitalized if it begins the text and was capitalized there."""
    return (
        words[0].upper() + words[1:]
        if match.start() == 0 and match[0][0].isupper() and not match[0].isupper()
        else words
    )
