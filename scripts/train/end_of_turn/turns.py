"""Callers' turns with the places where they pause: words, kinds of pause, and what they were asked."""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.train.sentences.callers import FILE as CALLERS_FILE
from scripts.train.sentences.callers import Callers
from scripts.train.sentences.grammar import Grammar, read
from scripts.train.speech_to_text.simulated_calls import sentences
from serving.speech import Asked
from serving.turn.inputs import ASKED
from serving.turn.words import DIGITS

FILE = Path(__file__).with_name("turns.yaml")
_MARK = re.compile(r"\((\w+)\)")
_KEPT = 0.5
"""Share of the marked places at which a caller really pauses."""
SHARES, KNOWN_SHARES = (0.68, 0.1, 0.12, 0.1), (0.2, 0.12, 0.36, 0.32)
"""Shares of turns from turns.yaml, of digits, of sentences from callers.yaml and of ones from simulated calls."""
_OFTEN_KEPT = {"name": 0.7, "date": 0.7, "fix": 0.7}
"""Higher where the mark breaks a whole answer in two."""
_LINKS_TEXT = (
    "a an and any are at because but by can could do for from have i if in is it my need no not of on or so than that the "
    "their there this to was what when where which with would your"
)
_LINKS = frozenset(_LINKS_TEXT.split())
"""Words after which people search for the next one."""
_QUESTION = re.compile(
    r"^(um |uh |so |well |hi |hello |okay |and |yes )*(what|where|when|how|who|which|is|are|do|does|can|could|will)\b"
)


@dataclass(frozen=True, slots=True)
class Turn:
    """What a caller says before they want an answer."""

    parts: tuple[str, ...]
    """The words between pauses, in lower case, without punctuation."""
    kinds: tuple[str, ...]
    """Kinds of the pauses between them, one fewer than parts."""
    end: str
    """The last part's punctuation: "." or "?"."""
    asked: Asked


class Turns:
    """An endless crowd of callers."""

    def __init__(self, seed: int, *, known: bool = False) -> None:
        """The same seed gives the same turns. `known`: mostly phrases that the demo's recogniser knows."""
        self._shares = KNOWN_SHARES if known else SHARES
        self.rng = random.Random(seed)
        content, callers = read(FILE), read(CALLERS_FILE)
        self._templates: list[dict[str, Any]] = content["templates"]
        self._weights = [template["weight"] for template in self._templates]
        self._grammar = Grammar(
            self.rng, words=callers["words"] | content["words"], rules=callers["rules"] | content["rules"]
        )
        self._callers = Callers(self.rng)
        self._simulated = sentences(4000, seed)

    def turn(self) -> Turn:
        """The next one."""
        makers: tuple[Callable[[], Turn], ...] = (
            self._from_template,
            self._digits,
            lambda: self._searched(self._callers.sentence()),
            lambda: self._searched(self.rng.choice(self._simulated)),
        )
        (make,) = self.rng.choices(makers, self._shares)
        turn = make()
        draw = self.rng.random()
        return self._misjudged(
            self._going_on(turn) if draw < 0.06 else self._another_sentence(turn) if draw < 0.14 else turn
        )

    def _misjudged(self, turn: Turn) -> Turn:
        """Sometimes what was asked is unknown or wrong."""
        draw = self.rng.random()
        if draw < 0.12:
            return Turn(turn.parts, turn.kinds, turn.end, Asked.NOTHING)
        if draw < 0.17:
            return Turn(turn.parts, turn.kinds, turn.end, self.rng.choice(ASKED))
        return turn

    def _going_on(self, turn: Turn) -> Turn:
        """A turn that might have been complete goes on after an "and" or the like."""
        more, link = self._from_template(), self.rng.choice(_LINKING)
        before, after = (link, "") if self.rng.random() < 0.6 else ("", link)
        parts = (
            *turn.parts[:-1],
            f"{turn.parts[-1]} {before}".strip(),
            f"{after} {more.parts[0]}".strip(),
            *more.parts[1:],
        )
        return Turn(parts, (*turn.kinds, "hes" if before else "clause", *more.kinds), more.end, turn.asked)

    def _another_sentence(self, turn: Turn) -> Turn:
        """A turn that might have been complete is followed by another sentence."""
        more = self._from_template() if self.rng.random() < 0.6 else self._searched(self._callers.sentence())
        return Turn((*turn.parts, *more.parts), (*turn.kinds, "sent", *more.kinds), more.end, turn.asked)

    def _from_template(self) -> Turn:
        (template,) = self.rng.choices(self._templates, self._weights)
        asked = Asked(self.rng.choice(template["asked"]))
        return self._marked(self._grammar.expand(template["text"]), template.get("end", "."), asked)

    def _marked(self, text: str, end: str, asked: Asked, kept: float = _KEPT) -> Turn:
        """Cut at the marks where this caller pauses."""
        pieces = _MARK.split(text)
        parts, kinds = [pieces[0]], list[str]()
        for kind, words in zip(pieces[1::2], pieces[2::2], strict=True):
            if self.rng.random() < max(kept, _OFTEN_KEPT.get(kind, 0.0)) and parts[-1].strip() and words.strip():
                kinds.append(kind)
                parts.append(words)
            else:
                parts[-1] += " " + words
        return Turn(tuple(" ".join(part.split()) for part in parts), tuple(kinds), end, asked)

    def _searched(self, sentence: str) -> Turn:
        """A sentence whose speaker searches for a word here and there, mostly after a function word."""
        words, marked = sentence.split(), list[str]()
        for number, word in enumerate(words):
            marked.append(word)
            chance = 0.3 if word in _LINKS else 0.08
            if number + 1 < len(words) and self.rng.random() < chance:
                marked.append("(hes)")
        end = "?" if _QUESTION.match(sentence) else "."
        return self._marked(" ".join(marked), end, self._likely_question(words), kept=0.6)

    def _likely_question(self, words: Sequence[str]) -> Asked:
        """What such an answer may have been asked for."""
        said = set(words)
        if sum(word in DIGITS for word in words) >= 3:
            return Asked.DIGITS
        if words[0] in _YES_NO and len(words) <= 4:
            return Asked.CONFIRMATION
        if said & {"name", "spelled"} or (len(words) == 2 and said.isdisjoint(_LINKS | _DAYS)):
            return Asked.NAME
        if said & _DAYS and len(words) <= 5:
            return self.rng.choice([Asked.DATE, Asked.CHOICE])
        return self.rng.choice([Asked.NOTHING, Asked.NOTHING, Asked.DESCRIPTION])

    def _digits(self) -> Turn:
        """A number read in groups. The same digits may or may not be complete: only what was asked can tell."""
        rng = self.rng
        count = rng.choice((4, 4, 7, 7, 10, 10, 10, 10, 6, 8, 9))
        groups = _groups(rng, count)
        words = " (group) ".join(" ".join(rng.choice(DIGITS) for _ in range(size)) for size in groups)
        lead = rng.choice(("", "", "", "", "it is ", "my number is (hes) ", "yes it is ", "um ", "my phone number is ", "sure (clause) ",
                           "the number is (hes) ", "call me at (hes) ", "okay (clause) it is (hes) "))  # fmt: skip
        tail = rng.choice(
            ("", "", "", "", "", "", "", " (clause) please", " (clause) that is my cell", " (clause) thank you")
        )
        asked = Asked.DIGITS if rng.random() < 0.85 else Asked.NOTHING
        return self._marked(lead + words + tail, ".", asked, kept=0.65)


def _groups(rng: random.Random, count: int) -> list[int]:
    """Sizes of the groups in which a number with that many digits is read."""
    usual = {
        4: ([4], [4], [2, 2], [1, 3]),
        7: ([3, 4], [3, 4], [3, 2, 2], [7]),
        10: ([3, 3, 4], [3, 3, 4], [3, 3, 2, 2], [3, 7], [6, 4]),
    }
    if count in usual and rng.random() < 0.8:
        return list(rng.choice(usual[count]))
    sizes, left = [], count
    while left:
        sizes.append(min(left, rng.choice((1, 2, 2, 3, 3, 4, 5))))
        left -= sizes[-1]
    return sizes


_LINKING = (
    "and",
    "and",
    "and",
    "but",
    "but",
    "so",
    "because",
    "or",
    "then",
    "and also",
    "if",
    "when",
    "that is",
    "which",
)
_YES_NO = frozenset(("yes", "no", "yeah", "yep", "nope", "sure", "okay", "correct", "right", "mm", "uh"))
_DAYS_TEXT = (
    "monday tuesday wednesday thursday friday saturday sunday tomorrow today noon morning afternoon evening thirty o'clock "
    "january february march april may june july august september october november december half quarter"
)
_DAYS = frozenset(_DAYS_TEXT.split())
