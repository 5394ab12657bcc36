"""What sound over the agent's voice means, with and without words. Randomised over seeds: any windows, any words."""

import random

import pytest

from agent.turns.barge_in import (
    MURMURED_PHRASES,
    MURMURS,
    STOP_WORDS,
    Overlap,
    OverlapOptions,
    Window,
    decide_overlap,
    has_lasted_unjudged,
    sure_of,
)
from serving.speech import Interruption, Word

pytestmark = pytest.mark.unit

OPTIONS = OverlapOptions(sure=0.9, likely=0.6, likely_windows=2, unlikely=0.3, longest_murmur_s=1.4, doubtful=0.25)
MEANT = ["tuesday", "what", "insurance", "my", "daughter", "tomorrow"]
SEEDS = range(100)


def windows(*wishes: float | None, start_s: float = 0.1) -> list[Window]:
    """A window every 100 ms, with these probabilities of a wish to speak; None is one that nobody judged."""
    return [(start_s + 0.1 * index, None if wish is None else sound(wish)) for index, wish in enumerate(wishes)]


def sound(wish: float) -> Interruption:
    """With this probability of a wish to speak."""
    return Interruption(wish, (1 - wish) / 2, (1 - wish) / 2, inference_s=0.01)


def decide(heard: list[Window], words: str = "", *, sure: str | None = None, words_are_final: bool = False) -> Overlap:
    """By OPTIONS."""
    return decide_overlap(heard, words, sure=sure, words_are_final=words_are_final, options=OPTIONS)


def anything(rng: random.Random, *, below: float = 1.0) -> list[Window]:
    """Windows of up to 3 s, each wish under `below`, some not judged."""
    wishes = [None if rng.random() < 0.1 else rng.random() * below for _ in range(rng.randrange(30))]
    return windows(*wishes)


def murmur(rng: random.Random) -> str:
    """Up to four murmurs."""
    return " ".join(rng.choice([*sorted(MURMURS), *MURMURED_PHRASES]) for _ in range(rng.randint(1, 4)))


# sound alone


def test_nothing_heard_yet_decides_nothing() -> None:
    assert decide([]) is Overlap.UNDECIDED
    assert decide(windows(None, None)) is Overlap.UNDECIDED


def test_one_very_sure_window_stops_the_agent() -> None:
    assert decide(windows(0.9)) is Overlap.BARGE_IN
    assert decide(windows(0.89)) is Overlap.UNDECIDED


def test_two_likely_windows_stop_it_only_in_a_row() -> None:
    assert decide(windows(0.6, 0.6)) is Overlap.BARGE_IN
    assert decide(windows(0.6, 0.59)) is Overlap.UNDECIDED
    assert decide(windows(0.7, 0.5, 0.7)) is Overlap.UNDECIDED


def test_a_window_that_nobody_judged_does_not_break_the_row() -> None:
    assert decide(windows(0.7, None, 0.7)) is Overlap.BARGE_IN


def test_two_unlikely_windows_are_a_backchannel_until_the_next() -> None:
    assert decide(windows(0.2)) is Overlap.UNDECIDED
    assert decide(windows(0.2, 0.1)) is Overlap.BACKCHANNEL
    assert decide(windows(0.2, 0.1, 0.5)) is Overlap.UNDECIDED
    assert decide(windows(0.2, 0.1, 0.95)) is Overlap.BARGE_IN


@pytest.mark.parametrize("seed", SEEDS)
def test_more_windows_never_take_a_barge_in_back(seed: int) -> None:
    rng = random.Random(seed)
    heard, words = anything(rng), rng.choice(["", murmur(rng), rng.choice(MEANT)])
    decisions = [decide(heard[: count + 1], words) for count in range(len(heard))]
    if Overlap.BARGE_IN in decisions:
        assert set(decisions[decisions.index(Overlap.BARGE_IN) :]) == {Overlap.BARGE_IN}


@pytest.mark.parametrize("seed", SEEDS)
def test_unlikely_sound_without_words_never_stops_the_agent(seed: int) -> None:
    assert decide(anything(random.Random(seed), below=OPTIONS.likely)) is not Overlap.BARGE_IN


@pytest.mark.parametrize("seed", SEEDS)
def test_a_surer_sound_is_never_taken_for_less(seed: int) -> None:
    rng = random.Random(seed)
    heard = anything(rng)
    surer = [(at, what and sound(what.interruption + rng.random() * (1 - what.interruption))) for at, what in heard]
    order = [Overlap.BACKCHANNEL, Overlap.UNDECIDED, Overlap.BARGE_IN]
    assert order.index(decide(surer)) >= order.index(decide(heard))


# with words


@pytest.mark.parametrize("seed", SEEDS)
def test_stop_words_stop_it_whatever_the_sound(seed: int) -> None:
    rng = random.Random(seed)
    words = [*murmur(rng).split(), rng.choice(sorted(STOP_WORDS))]
    assert decide(anything(rng, below=0.1), " ".join(words)) is Overlap.BARGE_IN


@pytest.mark.parametrize("seed", SEEDS)
def test_two_words_with_a_meaning_stop_it_whatever_the_sound(seed: int) -> None:
    rng = random.Random(seed)
    words = [murmur(rng), *rng.sample(MEANT, 2)]
    assert decide(anything(rng, below=0.1), " ".join(words)) is Overlap.BARGE_IN


@pytest.mark.parametrize("seed", SEEDS)
def test_murmurs_only_never_stop_it_while_a_murmur_may_last(seed: int) -> None:
    rng = random.Random(seed)
    heard = [window for window in anything(rng) if window[0] <= OPTIONS.longest_murmur_s]
    assert decide(heard, murmur(rng)) is not Overlap.BARGE_IN


@pytest.mark.parametrize("seed", SEEDS)
def test_murmurs_that_are_over_never_stop_it(seed: int) -> None:
    rng = random.Random(seed)
    assert decide(anything(rng), murmur(rng), words_are_final=True) is Overlap.BACKCHANNEL


def test_speech_that_goes_on_after_a_murmur_may_stop_it_before_its_words_are_there() -> None:
    assert decide(windows(0.95, 0.95, start_s=1.0), "yeah") is Overlap.UNDECIDED
    assert decide(windows(0.95, 0.95, start_s=1.4), "yeah") is Overlap.BARGE_IN


def test_a_word_with_a_meaning_makes_one_likely_window_enough() -> None:
    assert decide(windows(0.6)) is Overlap.UNDECIDED
    assert decide(windows(0.6), "tuesday") is Overlap.BARGE_IN
    assert decide(windows(0.5), "tuesday") is Overlap.UNDECIDED
    assert decide(windows(0.5), "tuesday", words_are_final=True) is Overlap.BARGE_IN


@pytest.mark.parametrize("words", ["tuesday", "yes", "yes yes", "okay tuesday"])
def test_a_lone_word_at_the_end_counts_unless_the_sound_was_no_wish(words: str) -> None:
    assert decide([], words, words_are_final=True) is Overlap.BARGE_IN
    assert decide(windows(None, None), words, words_are_final=True) is Overlap.BARGE_IN
    assert decide(windows(0.5, 0.2, 0.1), words, words_are_final=True) is Overlap.BARGE_IN
    assert decide(windows(0.3, 0.2, 0.2), words, words_are_final=True) is Overlap.BACKCHANNEL


def test_a_stop_word_counts_even_if_the_sound_was_no_wish() -> None:
    assert decide(windows(0.2, 0.2), "stop", words_are_final=True) is Overlap.BARGE_IN


@pytest.mark.parametrize(("words", "sure"), [("luke hugo cooper", "luke"), ("noon hold", ""), ("tuesday", "")])
def test_words_that_are_not_sure_count_at_the_end_unless_the_sound_was_no_wish(words: str, sure: str) -> None:
    assert decide([], words, sure=sure) is Overlap.UNDECIDED
    assert decide(windows(0.5, 0.2), words, sure=sure) is Overlap.UNDECIDED
    assert decide([], words, sure=sure, words_are_final=True) is Overlap.BARGE_IN
    assert decide(windows(0.5, 0.2, 0.1), words, sure=sure, words_are_final=True) is Overlap.BARGE_IN
    assert decide(windows(0.3, 0.2, 0.2), words, sure=sure, words_are_final=True) is Overlap.BACKCHANNEL


def test_words_that_are_not_sure_make_one_likely_window_enough() -> None:
    assert decide(windows(0.6), "hugo cooper", sure="") is Overlap.BARGE_IN


def test_sure_words_are_those_of_at_least_that_probability() -> None:
    words = [Word("stop", 0.0, 0.2, 0.9), Word("hugo", 0.2, 0.4, 0.69), Word("now", 0.4, 0.6, 0.7)]
    assert sure_of(words, 0.7) == "stop now"
    assert sure_of(words, 0.0) == "stop hugo now"


def test_sound_without_words_that_is_over_was_nothing() -> None:
    assert decide(windows(0.5), "", words_are_final=True) is Overlap.BACKCHANNEL


# nobody can say


def test_unjudged_sound_is_counted_from_the_last_judgement() -> None:
    assert not has_lasted_unjudged([], 0.0)
    assert has_lasted_unjudged(windows(*[None] * 14), 1.35)
    assert not has_lasted_unjudged(windows(*[None] * 13), 1.35)
    assert not has_lasted_unjudged(windows(0.2, 0.2, *[None] * 13), 1.35)
    assert has_lasted_unjudged(windows(0.2, 0.2, *[None] * 14), 1.35)


@pytest.mark.parametrize("seed", SEEDS)
def test_judged_sound_has_never_lasted_unjudged(seed: int) -> None:
    heard = [*anything(random.Random(seed)), (3.2, sound(0.1))]
    assert not has_lasted_unjudged(heard, 0.05)
