"""Text made speakable: an ordered tuple of pure functions, from whatever a model writes to plain words."""

from collections.abc import Callable

STEPS: tuple[Callable[[str], str], ...] = ()


def make_speakable(text: str) -> str:
    """`text` as words, commas, full stops, question and exclamation marks."""
    for step in STEPS:
        text = step(text)
    return " ".join(text.split())
