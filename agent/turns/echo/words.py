"""Whether recognised words are the agent's own, come back over the line."""

from collections.abc import Sequence
from difflib import SequenceMatcher

from serving.speech import Word

IN_STEP_S = 0.35
"""An echo's word begins so close to when the agent's word came back: recognised words have times no better than that. Who
repeats a word has to hear it first, and is later."""
ALIKE = 0.7
"""Recognition mishears what little is left of an echo; words this similar are the same."""
MOST = 0.6
"""If so many of the words are the agent's, all are."""


def is_echo(recognised: Sequence[Word], played: Sequence[Word], delay_s: float | None) -> bool:
    """Judge words of an utterance by those that the agent has spoken lately, times on one clock.

    `delay_s`: how much later the agent's voice comes back on this line; None: it never did, so nothing is echo.
    """
    if delay_s is None or not recognised:
        return False
    waiting = list(played)
    found = 0
    for word in recognised:
        for at, spoken in enumerate(waiting):
            if abs(word.start_s - spoken.start_s - delay_s) <= IN_STEP_S and _alike(word.text, spoken.text):
                found += 1
                del waiting[: at + 1]
                break
    return found >= MOST * len(recognised)


def _alike(one: str, other: str) -> bool:
    return SequenceMatcher(None, _plain(one), _plain(other)).ratio() >= ALIKE


def _plain(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
