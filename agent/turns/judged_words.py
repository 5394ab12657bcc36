"""The words that the end of a turn is judged by: those recognised, and marks for unintelligible speech. Pure.

Without the marks an answer looks unfinished: "i need a refill for my", followed by two words that were not recognised.
"""

from serving.turn.words import UNINTELLIGIBLE

MIN_SPEECH_S = 0.2
"""Anything shorter is not a word but a click or a breath."""
MARKS = 2
"""How many words an unintelligible utterance counts as. Of 0 to 3, 2 gave the shortest delays on the voices that the end-of-turn
model was trained on and two more kept for choosing (models/demo/end_of_turn)."""


def judged_words(text: str, speech_s: float) -> str:
    """What an utterance with this text and this much speech counts as. An empty text means unintelligible speech."""
    if text or speech_s < MIN_SPEECH_S:
        return text
    return " ".join([UNINTELLIGIBLE] * MARKS)
