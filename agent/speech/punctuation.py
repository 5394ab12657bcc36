"""Only the punctuation that a voice turns into pauses and tones: commas, full stops, question and exclamation marks."""

import re
import unicodedata

_ELLIPSIS_INSIDE = re.compile(r"(?:\.\s?){2,}\.?(?=\s*(?:[a-z]|I\b))|…(?=\s*(?:[a-z]|I\b))")
_ELLIPSIS = re.compile(r"\.{2,}|…")
_BRACKETS = re.compile(r"\s*[()\[\]{}]+\s*")
_DASH = re.compile(r"\s+-{1,3}\s+|\s*[—–]\s*|(?<=\w)--+(?=\w)|\s--+|--+\s")
_QUOTES = re.compile(r"(?<!\w)'+|'+(?!\w)")
_HYPHEN = re.compile(r"(?<!\w)-+|-+(?!\w)")
_DOT_INSIDE = re.compile(r"(?<=[^\W_])\.(?=[^\W_])")
_REPEATED = re.compile(r"([.,;:!?])(?:\s*[.,;:!?])+")
_SPACE_BEFORE = re.compile(r"\s+([.,;:!?])")
_NO_SPACE_AFTER = re.compile(r"([,;:!?])(?=[^\W_])")
_LEADING = re.compile(r"^[\s.,;:!?'-]+")
_KEPT = frozenset(" .,;:!?'-")
_STRONG = "?!.:;,"
"""Of several marks in a row, the one that comes first here stays."""


def settle_punctuation(text: str) -> str:
    """Brackets and dashes become commas, quotes go, an ellipsis becomes a comma or a full stop; nothing unspeakable remains."""
    text = _ELLIPSIS.sub(". ", _ELLIPSIS_INSIDE.sub(", ", text))
    text = _DASH.sub(", ", _BRACKETS.sub(", ", text))
    text = "".join(char if _is_speakable(char) else " " for char in text.replace('"', ""))
    text = _DOT_INSIDE.sub(_inner_dot, _HYPHEN.sub(" ", _QUOTES.sub("", text)))
    text = _SPACE_BEFORE.sub(r"\1", _REPEATED.sub(_strongest, text))
    text = _NO_SPACE_AFTER.sub(r"\1 ", text)
    return " ".join(_LEADING.sub("", text).split())


def _is_speakable(char: str) -> bool:
    return char in _KEPT or char.isspace() or unicodedata.category(char)[0] in "LM"


def _inner_dot(match: re.Match[str]) -> str:
    """'end.Begin' is two sentences; 'file.txt' is read with its dot."""
    return ". " if match.string[match.end() : match.end() + 1].isupper() else " dot "


def _strongest(match: re.Match[str]) -> str:
    return next(mark for mark in _STRONG if mark in match[0])
