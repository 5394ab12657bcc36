"""Sentences for the demo voice: a front desk's lines, callers' lines and generic English, numbers written out.

`training_sentences` returns the corpus, `held_out_sentences` the 100 that the voice is evaluated on.
"""

import random
import re
from collections.abc import Callable
from pathlib import Path

from agent.speech.number_words import cardinal
from scripts.train.sentences.callers import Callers
from scripts.train.sentences.grammar import Grammar, read

HERE = Path(__file__).parent
DICTIONARY = Path("/usr/share/dict/words")
"""Debian package wamerican."""
HELD_OUT_SEED = 987654

_QUESTION = re.compile(r"(?:\w+ )?(do|does|did|is|are|can|could|what|when|where|how|would|which)\b", re.IGNORECASE)


class Corpus:
    """Draws lines of all three kinds with one random generator."""

    def __init__(self, rng: random.Random) -> None:
        """The same state of `rng` gives the same lines."""
        self._rng = rng
        self._callers = Callers(rng)
        agent, english = read(HERE / "agent.yaml"), read(HERE / "english.yaml")
        self._agent_lines: list[str] = agent["templates"]
        self._english_lines: list[str] = english["templates"]
        self._words: dict[str, list[str]] = {**self._callers.words, **agent["words"], **english["words"]}
        self._words |= self._extended_lists()
        rules = {**agent["rules"], **english["rules"]}
        self._grammar = Grammar(rng, words=self._words, rules=rules, functions=self._functions())
        self._dictionary: list[str] = []

    def agent_line(self) -> str:
        """A line of the front desk: one sentence or two."""
        return self._grammar.expand(self._rng.choice(self._agent_lines))

    def caller_line(self) -> str:
        """A caller's sentence, capitalized and punctuated."""
        text = capitalized(self._callers.sentence())
        return text + ("?" if _QUESTION.match(text) else self._rng.choice([".", ".", ".", "!", ""]))

    def english_line(self) -> str:
        """A sentence about anything."""
        return self._grammar.expand(self._rng.choice(self._english_lines))

    def _functions(self) -> dict[str, Callable[..., str]]:
        return {
            "number": self._number,
            "first": lambda: self._name("first"),
            "last": lambda: self._name("last"),
            "doctor": self._doctor,
            "doctor_first": self._doctor_first,
            "clock": self._clock,
            "phone": self._phone,
            "letters": self._letters,
            "dictionary_word": self._dictionary_word,
            "noun": self._noun,
            "adjective": self._adjective,
            "past_verb": self._past_verb,
            "noun_phrase": self._noun_phrase,
        }

    def _extended_lists(self) -> dict[str, list[str]]:
        words = self._words
        return {
            "hour_number": words["number"],
            "weekday": [capitalized(day) for day in [*words["weekday"], "sunday"]],
            "month": [capitalized(month) for month in words["month"]],
            "floor": words["ordinal"][:9],
            **{kind: [*words[kind], *words[f"more_{kind}"]] for kind in ("medicine", "symptom", "test")},
        }

    def _choice(self, name: str) -> str:
        return self._rng.choice(self._words[name])

    def _number(self, low: str, high: str) -> str:
        return self._spelled(self._rng.randint(int(low), int(high)))

    def _spelled(self, number: int) -> str:
        if number < 100:
            return cardinal(number)
        unit, name = (100, "hundred") if number < 1000 else (1000, "thousand")
        text = f"{self._spelled(number // unit)} {name}"
        if number % unit == 0:
            return text
        joint = self._rng.choice(["", "and "]) if unit == 100 else ""
        return f"{text} {joint}{self._spelled(number % unit)}"

    def _name(self, kind: str) -> str:
        return capitalized(self._choice(kind)) if self._rng.random() < 0.4 else self._choice(f"more_{kind}")

    def _doctor(self) -> str:
        known = self._rng.random() < 0.5
        return "doctor " + (capitalized(self._choice("doctor_name")) if known else self._name("last"))

    def _doctor_first(self) -> str:
        self._doctor()  # drawn and dropped, so that a seed still gives the corpus of the shipped voice
        return capitalized(self._doctor())

    def _clock(self) -> str:
        hour, minute = self._choice("number"), self._rng.randrange(0, 60, 5)
        minutes = "" if minute == 0 else " oh five" if minute == 5 else f" {self._spelled(minute)}"
        return self._grammar.expand(
            f"{{{hour}{minutes} {{a m|p m}}|{hour}{minutes} in the {{morning|afternoon|evening}}|{hour}{minutes}"
            f"|{hour} o'clock|half past {hour}|quarter {{to|past}} {hour}|noon}}"
        )

    def _phone(self) -> str:
        groups = self._rng.choice([(3, 3, 4), (3, 4), (4,)])
        return ", ".join(" ".join(self._choice("digit") for _ in range(count)) for count in groups)

    def _letters(self) -> str:
        alphabet, groups = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", range(self._rng.randint(1, 2))
        return ", ".join(" ".join(self._rng.choices(alphabet, k=self._rng.randint(2, 4))) for _ in groups)

    def _dictionary_word(self) -> str:
        if not self._dictionary:
            words = DICTIONARY.read_text(encoding="utf-8").split()
            self._dictionary = [word for word in words if re.fullmatch(r"[A-Za-z][a-z]{2,11}", word)]
        return self._rng.choice(self._dictionary)

    def _noun(self) -> str:
        return self._dictionary_word() if self._rng.random() < 0.4 else self._choice("noun")

    def _adjective(self) -> str:
        return self._dictionary_word() if self._rng.random() < 0.2 else self._choice("adjective")

    def _past_verb(self) -> str:
        verb = self._choice("verb")
        return verb + ("d" if verb.endswith("e") else "ed")

    def _noun_phrase(self) -> str:
        determiner = self._choice("determiner")
        adjective = f"{self._adjective()} " if self._rng.random() < 0.45 else ""
        return f"{determiner} {adjective}{self._noun()}"


def capitalized(text: str) -> str:
    """With a capital first letter; the rest unchanged."""
    return text[:1].upper() + text[1:]


def sentences_of(line: str) -> list[str]:
    """The line's sentences: Piper speaks them one at a time, so the voice is trained on single ones."""
    return [capitalized(" ".join(part.split())) for part in re.split(r"(?<=[.?!]) +", line.strip()) if part]


def training_sentences(count: int, seed: int) -> list[str]:
    """At most `count` different sentences: half from the agent, an eighth from callers, the rest generic."""
    rng = random.Random(seed)
    corpus, found = Corpus(rng), list[str]()
    while len(found) < count:
        kind = rng.random()
        line = corpus.agent_line() if kind < 0.5 else corpus.caller_line() if kind < 0.62 else corpus.english_line()
        found += sentences_of(line)
    return list(dict.fromkeys(found))[:count]


def held_out_sentences() -> list[str]:
    """50 handwritten sentences (held_out.txt), which no template produces, and 50 drawn ones."""
    rng = random.Random(HELD_OUT_SEED)
    corpus, found = Corpus(rng), (HERE / "held_out.txt").read_text(encoding="utf-8").splitlines()
    drawn: list[str] = []
    while len(found) + len(drawn) < 100:
        line = corpus.agent_line() if rng.random() < 0.75 else corpus.caller_line()
        sentence = sentences_of(line)[0]
        if 4 <= len(sentence.split()) <= 18 and sentence not in drawn:
            drawn.append(sentence)
    return found + drawn
