"""What an utterance counts as when the end of the turn is judged."""

import pytest

from agent.turns.judged_words import MARKS, MIN_SPEECH_S, judged_words
from serving.turn.words import UNINTELLIGIBLE, spoken_words

pytestmark = pytest.mark.unit


def test_words_are_judged_as_they_are() -> None:
    assert judged_words("where can i park", 1.0) == "where can i park"
    assert judged_words("no", MIN_SPEECH_S / 2) == "no"


def test_speech_without_words_is_words_that_the_model_reads_as_not_made_out() -> None:
    assert spoken_words("my name is " + judged_words("", MIN_SPEECH_S)) == [
        "my",
        "name",
        "is",
        *MARKS * [UNINTELLIGIBLE],
    ]


def test_a_click_is_no_word() -> None:
    assert judged_words("", MIN_SPEECH_S / 2) == ""
