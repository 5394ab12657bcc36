"""What callers say in the simulated calls that the demo's language model is trained on, so that the two models know the same words."""

import random

from scripts.train.language_model.domain import Lex, random_facts
from scripts.train.language_model.phrases import GARBLED_WORDS
from scripts.train.language_model.simulate import dialogue

GARBLED = frozenset(GARBLED_WORDS)

MAX_WORDS = 18
MAX_REPEATS = 2
"""Most copies of an utterance: short answers would otherwise fill the corpus."""


class Words(Lex):
    """Both splits of the language model's word lists, without invented names: a recogniser may know every name."""

    def __init__(self, rng: random.Random) -> None:
        """Draws from `rng`."""
        super().__init__(rng, "test")
        train = Lex(rng, "train")
        for kind in ("first", "last", "docs", "place", "street", "near"):
            setattr(self, kind, getattr(self, kind) + getattr(train, kind))


def sentences(count: int, seed: int) -> list[str]:
    """`count` utterances of at most MAX_WORDS words, without recognition errors."""
    rng = random.Random(seed)
    words, found, seen = Words(rng), list[str](), dict[str, int]()
    while len(found) < count:
        for message in dialogue(words, random_facts(words), mishear=_as_meant).messages:
            text = message.text
            if message.role != "user" or not 0 < len(text.split()) <= MAX_WORDS or _is_garbled(text):
                continue
            seen[text] = seen.get(text, 0) + 1
            if seen[text] <= MAX_REPEATS:
                found.append(text)
    rng.shuffle(found)
    return found[:count]


def _is_garbled(text: str) -> bool:
    """Whether most words are those that the simulator strings together to be unintelligible."""
    said = text.split()
    return sum(word in GARBLED for word in said) > 0.6 * len(said)


def _as_meant(text: str, rng: random.Random, rate: float) -> str:
    """Used instead of the simulator's recognition errors; only removes the marks around slot values."""
    del rng, rate
    return " ".join(text.replace("[", "").replace("]", "").split())
