"""The bench passes words, and speech without words, to a model as the agent does."""

import numpy as np
import pytest

from agent.turns.judged_words import judged_words
from scripts.bench.turns.cases import LEAD_S, Pause, TurnCase
from scripts.bench.turns.words import FINAL_S, HeardPause, as_judged
from serving.speech import Asked

pytestmark = pytest.mark.unit

MARKS = judged_words("", 1.0)


def case(*pieces: tuple[float, float]) -> TurnCase:
    """A turn of pieces of these lengths, each followed by a silence of that length."""
    pauses, now_s = [], LEAD_S
    for speech_s, silence_s in pieces:
        pauses.append(Pause("clause", now_s + speech_s, silence_s))
        now_s += speech_s + silence_s
    return TurnCase("", True, "", "", Asked.NOTHING, "", np.zeros(1, np.float32), tuple(pauses), ())


def test_words_stay_as_they_are() -> None:
    heard = (HeardPause("it", "it is"), HeardPause("it is hel", "it is helen"))
    assert as_judged(case((0.5, 0.6), (0.4, np.inf)), heard) == heard


def test_an_utterance_without_words_is_marked_from_its_decode_on() -> None:
    heard = (HeardPause("", ""), HeardPause("my name", "my name is"), HeardPause("my name is", "my name is"))
    assert as_judged(case((0.5, 0.6), (0.7, 0.6), (0.6, np.inf)), heard) == (
        HeardPause("", MARKS),
        HeardPause(f"{MARKS} my name", f"{MARKS} my name is"),
        HeardPause(f"{MARKS} my name is", f"{MARKS} my name is {MARKS}"),
    )


def test_an_utterance_goes_on_over_a_short_pause() -> None:
    heard = (HeardPause("", ""), HeardPause("", "monday"))
    assert as_judged(case((0.5, FINAL_S / 2), (0.7, np.inf)), heard) == (
        HeardPause("", MARKS),
        HeardPause("", "monday"),
    )


def test_a_click_is_not_marked() -> None:
    heard = (HeardPause("yes", "yes"), HeardPause("yes", "yes"))
    assert as_judged(case((0.5, 0.6), (0.05, np.inf)), heard) == heard
