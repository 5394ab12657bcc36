"""When a prompt is prefilled."""

import pytest

from agent.replies.prefill_policy import NEW_WORDS, PrefillPolicy

pytestmark = pytest.mark.unit


def test_the_beginning_of_a_turn_is_computed_once() -> None:
    policy = PrefillPolicy()
    assert policy.words_settled(0)
    assert not policy.words_settled(0)
    assert not policy.words_settled(NEW_WORDS - 1)


def test_settled_words_are_computed_when_enough_of_them_are_new() -> None:
    policy = PrefillPolicy()
    computed = [words for words in range(3 * NEW_WORDS) if policy.words_settled(words)]
    assert computed == [0, NEW_WORDS, 2 * NEW_WORDS]


def test_a_turn_that_begins_with_words_needs_no_empty_prompt_first() -> None:
    policy = PrefillPolicy()
    assert policy.words_settled(4)
    assert not policy.words_settled(4 + NEW_WORDS - 1)
    assert policy.words_settled(4 + NEW_WORDS)


def test_the_next_turn_starts_afresh() -> None:
    policy = PrefillPolicy()
    policy.words_settled(20)
    policy.turn_over()
    assert policy.words_settled(0)
