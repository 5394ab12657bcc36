"""Sweeps and reliability on examples small enough to work out by hand."""

import math

import numpy as np
import pytest

from scripts.bench.turns.metrics import Silence, Sweep, crossing_s, reliability, sweep

pytestmark = pytest.mark.unit


def end(*scores: float) -> Silence:
    return Silence(math.inf, scores)


def test_the_first_score_above_the_threshold_counts() -> None:
    assert crossing_s((0.2, 0.5, 0.9, 0.1), 0.5) == pytest.approx(0.3)
    assert crossing_s((0.2, 0.5), 0.1) == pytest.approx(0.1)
    assert math.isinf(crossing_s((0.2, 0.5), 0.5))


def test_a_perfect_detector_waits_for_the_minimum_delay_and_cuts_nothing_off() -> None:
    silences = [end(*[0.9] * 12), end(*[0.9] * 12), Silence(0.9, (0.1,) * 9), Silence(0.4, (0.1,) * 4)]

    found = sweep(silences)

    assert found.delay_at(0.0) == pytest.approx(0.2)
    assert found.cut_offs_at(0.3) == 0.0


def test_silence_alone_cuts_off_what_outlasts_it() -> None:
    lengths = (0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95, 1.05, 1.55)
    silences = [end(*[0.5] * 12), *(Silence(length, (0.5,) * min(12, int(length * 10))) for length in lengths)]

    found = sweep(silences)

    # after 0.3 s nine of ten pauses go on, after 0.6 s six do, after 1.0 s two, after 1.1 s one, after 1.6 s none
    assert found.cut_offs_at(0.3) == pytest.approx(0.9)
    assert found.cut_offs_at(0.6) == pytest.approx(0.6)
    assert found.delay_at(0.2) == pytest.approx(1.0)
    assert found.delay_at(0.10) == pytest.approx(1.1)
    assert found.delay_at(0.05) == pytest.approx(1.6)


def test_a_late_rise_is_waited_for_but_not_beyond_the_timeout() -> None:
    rises_late = end(0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.8, 0.8)
    never = end(*[0.1] * 10)

    found = sweep([rises_late, never, Silence(1.25, (0.1,) * 10)])

    # threshold 0.1 to 0.79 and timeout 1.3: one end after 0.9 s, the other after 1.3 s, the pause kept
    assert found.delay_at(0.0) == pytest.approx((0.9 + 1.3) / 2)


def test_without_a_policy_within_the_budget_the_figure_is_nan() -> None:
    found = Sweep(np.array([0.5]), np.array([0.4]))
    assert math.isnan(found.delay_at(0.1))
    assert math.isnan(found.cut_offs_at(0.3))


def test_the_frontier_keeps_what_nothing_beats() -> None:
    found = Sweep(np.array([0.5, 0.2, 0.3, 0.1]), np.array([0.2, 0.4, 0.5, 0.9]))
    delays_s, cut_offs = found.frontier()
    assert delays_s.tolist() == [0.2, 0.4, 0.9]
    assert cut_offs.tolist() == [0.5, 0.2, 0.1]


def test_reliability_compares_predictions_with_outcomes() -> None:
    silences = [
        end(0.0, 0.95),
        end(0.0, 0.85),
        Silence(0.5, (0.0, 0.95, 0.5, 0.5, 0.5)),
        Silence(0.5, (0.0, 0.15, 0.5, 0.5, 0.5)),
        Silence(0.15, (0.0,)),
    ]

    found = reliability(silences, after_s=0.2)

    assert found.counts == (1, 1, 2)
    assert found.predicted == pytest.approx((0.15, 0.85, 0.95))
    assert found.observed == pytest.approx((0.0, 1.0, 0.5))
    assert found.expected_error == pytest.approx((0.15 + 0.15 + 2 * 0.45) / 4)
