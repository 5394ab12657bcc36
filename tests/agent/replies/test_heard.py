"""Which words of a reply were heard."""

import itertools

import pytest

from agent.replies.heard import STILL_HEARD_S, Run, heard_until, heard_words, resume_at
from serving.speech import Word

pytestmark = pytest.mark.unit

WORDS = [Word("one", 0.0, 0.4), Word("two", 0.4, 1.0), Word("three", 1.2, 1.6), Word("four", 1.6, 2.0)]


def texts(words: list[Word]) -> list[str]:
    return [word.text for word in words]


@pytest.mark.parametrize(
    ("played_s", "heard"),
    [(0.1, 0), (0.19, 0), (0.2, 1), (0.69, 1), (0.7, 2), (1.1, 2), (1.4, 3), (1.79, 3), (1.8, 4), (9.0, 4)],
)
def test_a_word_counts_as_heard_from_its_middle_on(played_s: float, heard: int) -> None:
    assert heard_words(WORDS, [Run(0.0, played_s - STILL_HEARD_S)]) == WORDS[:heard]
    assert heard_until(WORDS, played_s) == WORDS[:heard]


def test_what_is_still_heard_after_a_stop_counts() -> None:
    assert texts(heard_words(WORDS, [Run(0.0, 0.69)])) == ["one", "two"]
    assert texts(heard_words(WORDS, [Run(0.0, 0.7 - STILL_HEARD_S - 0.001)])) == ["one"]


@pytest.mark.parametrize(
    ("reached_s", "resumed_s"),
    [
        (0.0, 0.0),
        (0.1, 0.0),
        (0.4, 0.4),
        (0.96, 0.4),
        (0.99, 0.99),
        (1.0, 1.0),
        (1.1, 1.1),
        (1.2, 1.2),
        (1.21, 1.2),
        (2.0, 2.0),
        (3.0, 3.0),
    ],
)
def test_a_reply_resumes_at_the_word_that_was_cut_off(reached_s: float, resumed_s: float) -> None:
    assert resume_at(WORDS, reached_s) == resumed_s


def test_a_reply_without_word_times_resumes_where_it_was() -> None:
    assert resume_at([], 1.5) == 1.5


def test_what_a_pause_discarded_was_not_heard() -> None:
    assert texts(heard_words(WORDS, [Run(0.0, 0.5), Run(0.75, 2.0)])) == ["one", "three", "four"]


def test_a_split_word_counts_if_its_middle_was_played() -> None:
    assert texts(heard_words(WORDS, [Run(0.0, 0.71), Run(0.9, 2.0)])) == ["one", "two", "three", "four"]


def test_runs_that_touch_lose_nothing_between_them() -> None:
    for cuts in itertools.combinations([0.2, 0.7, 1.0, 1.4, 1.8], 2):
        runs = [Run(start, end) for start, end in itertools.pairwise([0.0, *cuts, 2.0])]
        assert heard_words(WORDS, runs) == WORDS


def test_a_stretch_that_is_only_rounding_plays_no_word() -> None:
    assert texts(heard_words(WORDS, [Run(0.0, 0.5), Run(1.4, 1.4 + 1e-13)])) == ["one"]


def test_nothing_played_is_nothing_heard() -> None:
    assert heard_words(WORDS, []) == []
    assert heard_until(WORDS, -0.5) == []


def test_a_word_of_no_length_counts_from_its_own_moment() -> None:
    assert heard_until([Word("now", 1.0, 1.0)], 1.0) == [Word("now", 1.0, 1.0)]


def test_without_words_nothing_is_heard() -> None:
    assert heard_words([], [Run(0.0, 5.0)]) == []
