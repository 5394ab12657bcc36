"""Drawn pauses last as long as those that were measured."""

import random

import numpy as np
import pytest

from scripts.train.end_of_turn.pauses import MIN_PAUSE_S, draw_caller, draw_habits, draw_hold_s, still_silent
from scripts.train.end_of_turn.turns import Turns

pytestmark = pytest.mark.unit


def test_they_survive_as_in_the_public_measurement() -> None:
    rng, turns = random.Random(2), Turns(2)
    kinds = [kind for _ in range(3000) for kind in turns.turn().kinds]
    holds_s = np.array([draw_hold_s(rng, draw_caller(rng), kind) for kind in kinds])
    assert holds_s.min() >= MIN_PAUSE_S
    for silence_s, share in ((0.3, 0.556), (0.6, 0.217), (1.0, 0.10), (1.6, 0.05)):
        assert np.mean(holds_s > silence_s) == pytest.approx(share, abs=0.03), silence_s


def test_the_share_that_lasts_is_that_of_the_draws() -> None:
    rng = random.Random(3)
    for caller, kind in ((0.0, "hes"), (0.8, "group"), (-0.8, "um")):
        holds_s = np.array([draw_hold_s(rng, caller, kind) for _ in range(4000)])
        for silence_s in (0.1, 0.3, 0.8):
            assert np.mean(holds_s > silence_s) == pytest.approx(still_silent(silence_s, caller, kind), abs=0.03)


def test_a_slow_callers_habits_are_long() -> None:
    rng = random.Random(4)
    slow, quick = ([pause_s for _ in range(300) for pause_s in draw_habits(rng, caller)] for caller in (1.0, -1.0))
    assert np.median(slow) > 1.3 * np.median(quick)
