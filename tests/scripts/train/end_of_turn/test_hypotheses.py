"""The demo recogniser's own words for rendered takes. Skipped where flite is not installed."""

import ctypes
from itertools import islice, pairwise

import pytest

from scripts.paths import DEMO
from scripts.train.end_of_turn.hypotheses import Recogniser
from scripts.train.end_of_turn.takes import Take, Takes
from scripts.train.turn_taking.spoken import Voice

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def heard() -> list[tuple[Take, str | None]]:
    """Takes in phrases that the recogniser knows, and what it makes of them."""
    try:
        ctypes.CDLL("libflite.so.1")
    except OSError as error:
        pytest.skip(f"apt-get install flite ({error})")
    takes = list(islice(iter(Takes(7, [Voice("flite", "slt")], known=True)), 40))
    return list(zip(takes, Recogniser(DEMO / "speech_to_text").words(takes), strict=True))


def test_many_words_are_recognised(heard: list[tuple[Take, str | None]]) -> None:
    said = [set(take.words.split()) for take, words in heard if words]
    found = [set(words.split()) for _, words in heard if words]
    shares = [len(one & other) / len(one) for one, other in zip(said, found, strict=True)]
    assert len(shares) > 30
    assert sum(shares) / len(shares) > 0.4


def test_a_new_utterances_words_follow_those_before_it(heard: list[tuple[Take, str | None]]) -> None:
    seen = 0
    for (take, words), (following, later) in pairwise(heard):
        if following.words_before and following.words_before == len(take.words.split()) and words and later:
            assert later.startswith(words)
            seen += 1
    assert seen > 3
