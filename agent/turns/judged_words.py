"""The words that the end of a turn is judged by: those recognised, and marks for speech that was not made out. Pure.

Left out, such speech makes an answer look unfinished: "i need a refill for my", and then two words that nobody understood.
"""

from serving.turn.words import UNINTELLIGIBLE

LEAST_SPEECH_S = 0.2
"""Less of it is no word: a click, a breath."""
MARKS = 2
"""How many words an utterance without words counts as. Of 0 to 3, on the voices that the end-of-turn model was trained on and two
kept for choosing (models/demo/end_of_turn), 2 gave the shortest delays."""


def judged_words(text: str, speech_s: float) -> str:
    """What an utterance of so much speech counts as whose words are `text`; empty: nothing was made out."""
    if text or speech_s < LEAST_SPEECH_S:
        return text
    return " ".join([UNINTELLIGIBLE] * MARKS)
