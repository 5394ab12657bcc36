"""Agreed words: shown once, never changed."""

import random
from dataclasses import replace

import pytest

from serving.speech import Word
from serving.stt.local_agreement import LocalAgreement

pytestmark = pytest.mark.unit


def words(text: str) -> list[Word]:
    """The words of a text, one every half second."""
    return [Word(word, i / 2, i / 2 + 0.4) for i, word in enumerate(text.split())]


def shown(agreement: LocalAgreement, text: str) -> tuple[str, str]:
    """The agreed words and the tail after a hypothesis."""
    result = agreement.push(words(text))
    texts = [word.text for word in result.words]
    return " ".join(texts[: result.agreed]), " ".join(texts[result.agreed :])


def test_a_word_is_agreed_when_two_hypotheses_in_a_row_say_it() -> None:
    agreement = LocalAgreement()
    assert shown(agreement, "i would") == ("", "i would")
    assert shown(agreement, "i would like") == ("i would", "like")
    assert shown(agreement, "i would lie down") == ("i would", "lie down")
    assert shown(agreement, "i would lie down here") == ("i would lie down", "here")


def test_case_and_punctuation_do_not_stand_in_the_way_of_agreement() -> None:
    agreement = LocalAgreement()
    shown(agreement, "Yes, Tuesday")
    assert shown(agreement, "yes tuesday. At") == ("yes tuesday.", "At")


def test_agreed_words_stay_as_they_are_when_a_hypothesis_changes_them() -> None:
    agreement = LocalAgreement()
    shown(agreement, "my name is")
    shown(agreement, "my name is anne")
    assert shown(agreement, "my names is anna smith") == ("my name is", "anna smith")


def test_a_hypothesis_that_hears_an_agreed_word_otherwise_goes_on_after_it() -> None:
    agreement = LocalAgreement()
    shown(agreement, "at four p m")
    shown(agreement, "at four p m")
    assert shown(agreement, "at fourteen p m if possible") == ("at four p m", "if possible")


def test_of_two_equally_likely_places_to_go_on_the_nearer_in_time_is_taken() -> None:
    agreement = LocalAgreement()
    shown(agreement, "two")
    shown(agreement, "two")
    changed = [
        Word("to", 0.0, 0.4),
        Word("five", 0.5, 0.9),
    ]  # a different word, or words missing before it
    assert [word.text for word in agreement.push(changed).words] == ["two", "five"]
    late = [Word("to", 1.0, 1.4), Word("five", 1.5, 1.9)]
    assert [word.text for word in agreement.push(late).words] == ["two", "to", "five"]


def test_a_hypothesis_that_drops_agreed_words_goes_on_where_they_ended() -> None:
    agreement = LocalAgreement()
    shown(agreement, "well i want it")
    shown(agreement, "well i want it")
    later = [replace(word, start_s=word.start_s + 0.5, end_s=word.end_s + 0.5) for word in words("i want it now")]
    assert [word.text for word in agreement.push(later).words] == ["well", "i", "want", "it", "now"]


def test_a_shorter_hypothesis_takes_nothing_back() -> None:
    agreement = LocalAgreement()
    shown(agreement, "on friday morning")
    shown(agreement, "on friday morning")
    assert shown(agreement, "on friday") == ("on friday morning", "")
    assert shown(agreement, "") == ("on friday morning", "")


def test_words_that_may_be_half_said_are_not_agreed_on() -> None:
    agreement = LocalAgreement()
    agreement.push(words("i would like"), before_s=1.0)
    result = agreement.push(words("i would like"), before_s=1.0)
    assert result.agreed == 2
    assert [word.text for word in result.words] == ["i", "would", "like"]


def test_whatever_the_hypotheses_agreed_words_only_grow() -> None:
    rng = random.Random(7)
    for _ in range(300):
        agreement = LocalAgreement()
        before: tuple[Word, ...] = ()
        for _ in range(12):
            result = agreement.push(words(" ".join(rng.choices("a b c", k=rng.randint(0, 6)))))
            agreed = result.words[: result.agreed]
            assert agreed[: len(before)] == before
            times = [time for word in result.words for time in (word.start_s, word.end_s)]
            assert times == sorted(times)
            before = agreed
