"""Prescription abbreviations, spelled out where only one reading is possible. 'U' and other risky ones stay as they are."""

import re

_WORDS = {
    "qd": "once a day", "od": "once a day", "bid": "twice a day", "tid": "three times a day", "qid": "four times a day",
    "qod": "every other day", "qhs": "at bedtime", "hs": "at bedtime", "prn": "as needed", "po": "by mouth",
    "npo": "nothing by mouth", "ac": "before meals", "pc": "after meals", "sl": "under the tongue", "im": "into the muscle",
}  # fmt: skip
_CAPITALS = ("QD", "BID", "TID", "QID", "QOD", "QHS", "PRN", "NPO")
"""Recognized without dots too, in capitals."""
_DOTTED = re.compile(r"\b(" + "|".join(r"\.\s?".join(word) for word in _WORDS) + r")\.(?!\w)", re.I)
_UPPER = re.compile(rf"\b({'|'.join(_CAPITALS)})\b")
_EVERY = re.compile(r"\bq\.?\s?(\d{1,2}(?:\s?[-–]\s?\d{1,2})?)\s?(h|hr|hrs|hours|d|days)\b\.?", re.I)
_SHORT = {"rx": "prescription", "dx": "diagnosis", "hx": "history", "tx": "treatment", "sx": "symptoms"}
_SHORT_FORMS = re.compile(r"\b(Rx|Dx|Hx|Tx|Sx)\b")


def write_out_dosing(text: str) -> str:
    """'b.i.d.' -> 'twice a day', 'q4h' -> 'every 4 hours'."""
    text = _EVERY.sub(_every, text)
    text = _DOTTED.sub(lambda m: _WORDS[re.sub(r"[\s.]", "", m[1]).lower()] + _full_stop(m), text)
    text = _UPPER.sub(lambda m: _WORDS[m[1].lower()], text)
    return _SHORT_FORMS.sub(lambda m: _SHORT[m[1].lower()], text)


def _every(match: re.Match[str]) -> str:
    unit = "hour" if match[2].lower().startswith("h") else "day"
    return f"every {unit}" if match[1] == "1" else f"every {match[1]} {unit}s"


def _full_stop(match: re.Match[str]) -> str:
    """The abbreviation's last dot, if it also ends the sentence."""
    return "." if re.match(r"\s*$|\s+[A-Z]", match.string[match.end() :]) else ""
