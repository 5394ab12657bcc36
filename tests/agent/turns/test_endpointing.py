"""How long a silence lasts before a turn is over."""

import random
from typing import Any

import pytest

from agent.turns.endpointing import (
    EndpointingOptions,
    Judgement,
    delay_s,
    next_judgement_s,
    threshold,
    turn_end_s,
)

pytestmark = pytest.mark.unit

OPTIONS = EndpointingOptions(min_delay_s=0.25, max_delay_s=2.0, threshold_at_1s=0.4, decline=1.0, unjudged_delay_s=0.9)


def drawn_options(rng: random.Random) -> EndpointingOptions:
    """Any that are allowed."""
    low, high = sorted(rng.uniform(0.0, 3.0) for _ in range(2))
    return EndpointingOptions(
        min_delay_s=low,
        max_delay_s=high,
        threshold_at_1s=rng.uniform(0.01, 0.99),
        decline=rng.choice([0.0, rng.uniform(0.05, 4.0)]),
        unjudged_delay_s=rng.uniform(0.0, 4.0),
        judge_every_s=rng.uniform(0.05, 0.3),
    )


def drawn_judgements(rng: random.Random, options: EndpointingOptions) -> list[Judgement]:
    """Of a long silence, as often as the options say."""
    first_s = rng.uniform(0.1, 0.4)
    return [Judgement(first_s + n * options.judge_every_s, rng.random()) for n in range(40)]


@pytest.mark.parametrize(
    ("probability", "delay"),
    [(0.99, 0.25), (0.8, 0.25), (0.6, 4 / 9), (0.5, 2 / 3), (0.4, 1.0), (0.3, 14 / 9), (0.25, 2.0), (0.02, 2.0)],
)
def test_the_delay_is_in_proportion_to_the_odds_against_an_end(probability: float, delay: float) -> None:
    assert delay_s(OPTIONS, probability) == pytest.approx(delay)


def test_the_threshold_is_the_one_of_the_options_at_one_second_and_falls() -> None:
    assert threshold(OPTIONS, 1.0) == pytest.approx(0.4)
    assert threshold(OPTIONS, 0.2) == pytest.approx(10 / 13)
    assert threshold(OPTIONS, 2.0) == pytest.approx(0.25)


def test_without_decline_it_is_one_threshold_for_all_silences() -> None:
    options = EndpointingOptions(threshold_at_1s=0.7, decline=0.0)
    assert threshold(options, 0.2) == threshold(options, 5.0) == pytest.approx(0.7)
    assert delay_s(options, 0.71) == options.min_delay_s
    assert delay_s(options, 0.69) == options.max_delay_s


def test_a_turn_that_nobody_judged_waits_for_a_delay_of_its_own_within_the_bounds() -> None:
    assert delay_s(OPTIONS, None) == 0.9
    assert turn_end_s(OPTIONS, []) == 0.9
    assert delay_s(EndpointingOptions(max_delay_s=0.8, unjudged_delay_s=1.0), None) == 0.8
    assert delay_s(EndpointingOptions(min_delay_s=0.5, unjudged_delay_s=0.1), None) == 0.5


@pytest.mark.parametrize("seed", range(100))
def test_the_delay_never_rises_with_the_probability_and_keeps_its_bounds(seed: int) -> None:
    rng = random.Random(seed)
    options = drawn_options(rng)
    probabilities = [0.0, *sorted(rng.random() ** rng.choice([1, 8]) for _ in range(60)), 1e-300, 1 - 1e-16, 1.0]
    delays = [delay_s(options, probability) for probability in sorted(probabilities)]
    assert delays == sorted(delays, reverse=True)
    assert all(options.min_delay_s <= delay <= options.max_delay_s for delay in (*delays, delay_s(options, None)))
    assert (delays[0], delays[-1]) == (options.max_delay_s, options.min_delay_s)


@pytest.mark.parametrize("seed", range(100))
def test_the_delay_is_where_the_threshold_reaches_the_probability(seed: int) -> None:
    rng = random.Random(seed)
    options = EndpointingOptions(
        min_delay_s=0, max_delay_s=1e9, threshold_at_1s=rng.uniform(0.05, 0.95), decline=rng.uniform(0.3, 3)
    )
    probability = rng.uniform(0.05, 0.95)
    assert threshold(options, delay_s(options, probability)) == pytest.approx(probability)


@pytest.mark.parametrize("seed", range(100))
def test_a_silence_ends_a_turn_within_the_bounds_and_no_later_for_higher_probabilities(seed: int) -> None:
    rng = random.Random(seed)
    options = drawn_options(rng)
    judgements = drawn_judgements(rng, options)
    end_s = turn_end_s(options, judgements)
    assert options.min_delay_s <= end_s <= options.max_delay_s
    surer = [Judgement(one.silence_s, one.probability + (1 - one.probability) * rng.random()) for one in judgements]
    # a first judgement may also come too late to matter
    assert turn_end_s(options, surer) <= max(end_s, judgements[0].silence_s)


@pytest.mark.parametrize("seed", range(100))
def test_a_turn_is_over_at_the_first_moment_that_its_newest_judgement_allows(seed: int) -> None:
    rng = random.Random(seed)
    options = drawn_options(rng)
    judgements = drawn_judgements(rng, options)
    end_s = turn_end_s(options, judgements)
    at_s = 0.0
    while at_s < end_s - 1e-3:  # a watcher who looks every millisecond finds no reason to end it before
        past = [one for one in judgements if one.silence_s <= at_s]
        assert at_s < delay_s(options, past[-1].probability if past else None)
        at_s += 1e-3
    past = [one for one in judgements if one.silence_s <= end_s]
    assert end_s >= delay_s(options, past[-1].probability if past else None)


@pytest.mark.parametrize("seed", range(100))
def test_what_would_come_after_the_end_need_not_be_judged(seed: int) -> None:
    rng = random.Random(seed)
    options = drawn_options(rng)
    judgements = drawn_judgements(rng, options)
    needed = judgements[:1]
    for judgement in judgements[1:]:
        if next_judgement_s(options, needed[-1]) is None:
            break
        needed.append(judgement)
    assert turn_end_s(options, needed) == turn_end_s(options, judgements)


def test_one_judgement_is_enough_when_it_is_sure() -> None:
    assert next_judgement_s(OPTIONS, Judgement(0.2, 0.95)) is None
    assert next_judgement_s(OPTIONS, Judgement(0.2, 0.5)) == pytest.approx(0.3)
    assert next_judgement_s(OPTIONS, Judgement(1.95, 0.01)) is None


def test_doubt_that_comes_in_time_makes_it_wait() -> None:
    assert turn_end_s(OPTIONS, [Judgement(0.2, 0.6)]) == pytest.approx(4 / 9)
    assert turn_end_s(OPTIONS, [Judgement(0.2, 0.6), Judgement(0.3, 0.1)]) == 2.0
    assert turn_end_s(OPTIONS, [Judgement(0.2, 0.1), Judgement(0.5, 0.9)]) == 0.5


def mean_cost(options: EndpointingOptions, prior: float) -> float:
    """Seconds that a silence costs on average where pauses have a tail of 1 / silence and a cut-off costs 0.6 s.

    The judge knows nothing but the share of turns that end and the silence so far, so that it is calibrated.
    """
    cost = 0.0
    for lasts_s in (0.3 * 1.02**step for step in range(400)):  # of pauses of at least 0.3 s, 0.3 / t last longer than t
        share = 0.3 / lasts_s - 0.3 / (lasts_s * 1.02)
        cost += (1 - prior) * share * 0.6 * (lasts_s > silent_judge_ends_s(options, prior))
    return cost + prior * silent_judge_ends_s(options, prior)


def silent_judge_ends_s(options: EndpointingOptions, prior: float) -> float:
    """When the turn ends by a judge who only counts time."""
    times_s = [0.3 + 0.02 * step for step in range(200)]
    chances = [prior / (prior + (1 - prior) * 0.3 / time_s) for time_s in times_s]
    return turn_end_s(options, [Judgement(*pair) for pair in zip(times_s, chances, strict=True)])


@pytest.mark.parametrize("prior", [0.1, 0.2, 0.3, 0.5])
def test_odds_in_proportion_to_the_hazard_cost_least(prior: float) -> None:
    """The hazard of these pauses is 1 / silence: at 1 s a cut-off of 0.6 s must be outweighed by odds of 0.6."""

    def cost(threshold_at_1s: float, decline: float) -> float:
        return mean_cost(
            EndpointingOptions(
                min_delay_s=0.3, max_delay_s=4, threshold_at_1s=threshold_at_1s, decline=decline, judge_every_s=0.02
            ),
            prior,
        )

    best = cost(0.6 / 1.6, 1.0)
    others = [cost(level, decline) for level in (0.1, 0.25, 0.5, 0.7) for decline in (0.0, 1.0, 2.0)]
    assert best <= min(others) + 0.01


def test_judgements_that_are_not_asked_for_change_nothing() -> None:
    once = EndpointingOptions(min_delay_s=0.25, max_delay_s=2.0, threshold_at_1s=0.4, judge_every_s=10)
    assert turn_end_s(once, [Judgement(0.2, 0.3), Judgement(0.3, 0.99)]) == delay_s(once, 0.3)
    seldom = EndpointingOptions(min_delay_s=0.25, max_delay_s=2.0, threshold_at_1s=0.4, judge_every_s=0.2)
    assert turn_end_s(seldom, [Judgement(0.2, 0.3), Judgement(0.3, 0.99), Judgement(0.4, 0.95)]) == 0.4


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_delay_s": -0.1},
        {"min_delay_s": 2.5},
        {"threshold_at_1s": 0.0},
        {"threshold_at_1s": 1.0},
        {"decline": -1.0},
        {"unjudged_delay_s": -1.0},
        {"judge_every_s": 0.0},
    ],
)
def test_options_that_make_no_sense_are_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        EndpointingOptions(**wrong)
