"""Markdown and HTML without the marks: the words stay, lists and headings become sentences."""

import html
import re

_FENCE = re.compile(r"^\s*(?:```|~~~).*$", re.M)
_RULE = re.compile(r"^\s*(?:[-*_=]\s*){3,}$", re.M)
_LINE_BREAK = re.compile(r"<br\s*/?>", re.I)
_TAG = re.compile(r"</?[a-zA-Z][^<>\n]{0,200}>")
_AUTOLINK = re.compile(r"<((?:https?://|mailto:)[^<>\s]+|[^<>\s@]+@[^<>\s@]+)>")
_LINK = re.compile(r"!?\[(?!\^?\d+\])([^\[\]]*)\](?:\([^()\s]*(?:\s+\"[^\"]*\")?\)|\[[^\[\]]*\])")
_CITATION = re.compile(r"\[\^?\d+\]")
_QUOTE = re.compile(r"^\s*(?:>\s?)+")
_HEADING = re.compile(r"^\s*#{1,6}\s+(.*?)\s*#*$")
_BULLET = re.compile(r"^\s*[-*+•‣–]\s+(?:\[[ xX]\]\s+)?(.*)$")
_NUMBERED = re.compile(r"^\s*(\d{1,2})[.)]\s+(\S.*)$")
_TABLE_RULE = re.compile(r"^\s*\|?(?:\s*:?-{2,}:?\s*\|)+\s*(?::?-{2,}:?)?\s*$")
_TIMES = re.compile(r"(?<=\d)\s*\*\s*(?=\d)")
_EMPHASIS = re.compile(r"\*+|~~+|`+|(?<![^\W_])_+|_+(?![^\W_])")
_CLOSED = (".", ",", ";", ":", "!", "?", "…", "-", "–", "—")


def strip_markup(text: str) -> str:
    """Plain text in one paragraph; each list item, heading and table row ends like a sentence."""
    text = _RULE.sub("", _FENCE.sub("", text))
    text = _TAG.sub("", _AUTOLINK.sub(r"\1", _LINE_BREAK.sub("\n", html.unescape(text))))
    text = _CITATION.sub("", _LINK.sub(r"\1", text))
    paragraph = _joined([_line(line) for line in text.strip().split("\n")])
    return _EMPHASIS.sub("", _TIMES.sub(" times ", paragraph))


def _line(line: str) -> tuple[str, str]:
    """The words of a line and how it ends if it has no punctuation of its own."""
    line = _QUOTE.sub("", line)
    if _TABLE_RULE.match(line):
        return "", ""
    if line.count("|") >= 2 and line.strip().startswith("|"):
        return ", ".join(cell.strip() for cell in line.split("|") if cell.strip()), "."
    if found := _HEADING.match(line) or _BULLET.match(line):
        return found[1].strip(), "."
    if found := _NUMBERED.match(line):
        return f"{found[1]}, {found[2].strip()}", "."
    return line.strip(), ","


def _joined(lines: list[tuple[str, str]]) -> str:
    """The lines in one; an empty one ends the sentence before it."""
    joined, ending = "", ""
    for words, next_ending in lines:
        if not words:
            ending = "." if joined else ""
            continue
        closed = not joined or joined.rstrip("*_`~\"')").endswith(_CLOSED)
        joined += words if not joined else (" " if closed else ending + " ") + words
        ending = next_ending
    closed = joined.rstrip("*_`~\"')").endswith(_CLOSED)
    return joined + ("." if ending == "." and not closed else "")
