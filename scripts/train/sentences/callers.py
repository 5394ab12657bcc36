"""What callers say to a clinic's front desk: sentences with a vocabulary of about 460 words, drawn from callers.yaml."""

import random
from pathlib import Path

from scripts.train.sentences.grammar import Grammar, read

FILE = Path(__file__).with_name("callers.yaml")


class Callers:
    """An endless crowd of callers."""

    def __init__(self, rng: random.Random) -> None:
        """Draws from `rng`; the same state gives the same sentences."""
        content = read(FILE)
        self.words: dict[str, list[str]] = content["words"]
        """Word lists by name."""
        self._texts = [template["text"] for template in content["templates"]]
        self._weights = [template["weight"] for template in content["templates"]]
        functions = {"day_or_on_day": self._day_or_on_day, "phone": self._phone}
        self._grammar = Grammar(rng, words=self.words, rules=content["rules"], functions=functions)

    def sentence(self) -> str:
        """One utterance in lower case, without punctuation."""
        grammar = self._grammar
        parts = [grammar.draw("filler")]
        parts.append(grammar.expand(grammar.rng.choices(self._texts, self._weights)[0]))
        parts.append(grammar.draw("courtesy"))
        return " ".join("".join(parts).split())

    def _day_or_on_day(self) -> str:
        prefix = "on " if self._grammar.rng.random() < 0.3 else ""
        return prefix + self._grammar.draw("day")

    def _phone(self) -> str:
        rng = self._grammar.rng
        return " ".join(self._grammar.draw("digit") for _ in range(rng.choice([4, 7, 10])))
