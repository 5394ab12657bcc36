"""The network's inputs besides the sound."""

import numpy as np
import pytest

from serving.speech import Asked
from serving.turn.inputs import ASKED, HABITS, MAX_SILENCE_S, context_inputs, habits

pytestmark = pytest.mark.unit


def test_every_question_has_the_number_that_the_network_was_trained_with() -> None:
    trained = ("nothing", "confirmation", "choice", "name", "date", "digits", "description")
    assert tuple(asked.value for asked in ASKED) == trained


def test_each_input_has_a_first_axis_of_one() -> None:
    inputs = context_inputs("yes", Asked.CONFIRMATION, 0.3, (0.5,), {})
    assert {name: values.shape for name, values in inputs.items()} == {
        "words": (1, 10),
        "pieces": (1, 10, 4),
        "counts": (1, 3),
        "asked": (1,),
        "habits": (1, HABITS),
        "silence_s": (1,),
    }
    assert all(values.dtype in (np.int64, np.float32) for values in inputs.values())


@pytest.mark.parametrize(("silence_s", "counted_s"), [(-1.0, 0.0), (0.25, 0.25), (60.0, MAX_SILENCE_S)])
def test_silence_is_kept_within_what_the_network_knows(silence_s: float, counted_s: float) -> None:
    assert context_inputs("", Asked.NOTHING, silence_s, (), {})["silence_s"][0] == np.float32(counted_s)


def test_no_pauses_are_zeros_and_short_gaps_are_no_pauses() -> None:
    assert not habits(()).any()
    assert not habits((0.05, 0.15)).any()


def test_longer_pauses_give_larger_numbers() -> None:
    slow, quick = habits((0.9, 1.4)), habits((0.25, 0.3))
    assert (slow[1:] > quick[1:]).all()
    assert slow[0] == quick[0]


def test_only_the_last_eight_count() -> None:
    assert np.array_equal(habits((4.0,) * 10 + (0.3,) * 8), habits((0.3,) * 8))


def test_the_last_pause_is_told_from_the_first() -> None:
    assert habits((0.3, 1.5))[3] > habits((1.5, 0.3))[3]
