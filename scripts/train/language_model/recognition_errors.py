"""What a recogniser makes of a caller's words."""

import random
import re

from scripts.train.language_model.phrases import MISHEARD

RATES = (0.0, 0.04, 0.07)
"""Shares of words that are misrecognised; one is drawn for each utterance."""

MIN_WORDS = 4
"""Utterances with fewer words are recognised correctly."""


def asr_noise(text: str, rng: random.Random, rate: float = 0.04) -> str:
    """Drops, replaces or repeats words outside [brackets], or adds an "um"; removes the brackets."""
    is_long = len(text.split()) >= MIN_WORDS
    heard = []
    for part in re.split(r"(\[[^\]]*\])", text):
        if part.startswith("["):
            heard.append(part[1:-1])
        else:
            words = part.split()
            heard.append(" ".join(_mishear(words, rng, rate) if is_long else words))
    return " ".join(" ".join(heard).split())


def _mishear(words: list[str], rng: random.Random, rate: float) -> list[str]:
    heard = []
    for word in words:
        draw = rng.random()
        if draw < rate * 0.4:
            continue
        if draw < rate * 0.8:
            heard.append(MISHEARD.get(word, word[:-1] if len(word) > 4 else word))
            continue
        heard.append(word)
        if draw < rate:
            heard.append(word)
        elif draw < rate * 1.3:
            heard.append(rng.choice(["um", "uh", "er"]))
    return heard
