"""What callers say in the simulated calls that the demo's language model is trained on: the same words, so that the two fit."""

import random

from scripts.train.language_model.domain import Lex, random_facts
from scripts.train.language_model.phrases import GARBLED_WORDS
from scripts.train.language_model.simulate import dialogue

GARBLED = frozenset(GARBLED_WORDS)

MAX_WORDS = 18
MAX_REPEATS = 2
"""Times that one utterance is taken: short answers would otherwise fill the corpus."""


class Words(Lex):
    """Both splits of the language model's word lists and no invented names: a recogniser may know every name."""

    def __init__(self, rng: random.Random) -> None:
        """Draws from `rng`."""
        super().__init__(rng, "test")
        train = Lex(rng, "train")
        for kind in ("first", "last", "docs", "place", "street", "near"):
            setattr(self, kind, getattr(self, kind) + getattr(train, kind))


def sentences(count: int, seed: int) -> list[str]:
    """`count` utterances of at most MAX_WORDS words, as they were meant: without recognition errors."""
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
    """Whether most words are ones that the simulator strings together to be misunderstood."""
    said = text.split()
    return sum(word in GARBLED for word in said) > 0.6 * len(said)


def _as_meant(text: str, rng: random.Random, rate: float) -> str:
    """In the place of the simulator's recognition errors: only the marks around slot values go."""
    del rng, rate
    return " ".join(text.replace("[", "").replace("]", "").split())
