"""Numbers as callers say them."""

import pytest

from agent.clinic.number_words import read_cardinal, read_ordinal
from agent.speech.number_words import cardinal, ordinal
from serving.turn.words import spoken_words

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("number", range(60))
def test_a_number_is_understood_as_it_is_spoken(number: int) -> None:
    words = cardinal(number).split()
    assert read_cardinal(["at", *words, "please"], 1) == (number, len(words))
    assert read_cardinal([str(number)]) == (number, 1)


@pytest.mark.parametrize("number", range(1, 32))
def test_an_ordinal_is_understood_as_it_is_spoken(number: int) -> None:
    words = ordinal(number).split()
    assert read_ordinal(["the", *words, "of"], 1) == (number, len(words))
    assert read_ordinal([f"{number}th"]) == (number, 1)


@pytest.mark.parametrize("number", range(100))
def test_the_turn_model_reads_numbers_as_they_are_spoken(number: int) -> None:
    assert spoken_words(str(number)) == cardinal(number).split()
    if number:
        assert spoken_words(f"{number}th") == ordinal(number).split()


@pytest.mark.parametrize("words", [[], ["blue"], ["third"], ["1" * 5000]])
def test_what_is_no_number_is_none(words: list[str]) -> None:
    assert read_cardinal(words) is None


@pytest.mark.parametrize("words", [[], ["blue"], ["three"], ["1" * 5000 + "th"], ["fortieth"]])
def test_what_is_no_ordinal_is_none(words: list[str]) -> None:
    assert read_ordinal(words) is None


@pytest.mark.parametrize(("text", "read"), [("oh five", (5, 2)), ("oh", (0, 1)), ("a", (1, 1)), ("sixty", None)])
def test_a_caller_says_more_than_the_agent_does(text: str, read: tuple[int, int] | None) -> None:
    assert read_cardinal(text.split()) == read
