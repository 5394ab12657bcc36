"""Pauses are distributed as in recordings, and depend on the caller's habits."""

import numpy as np
import pytest

from scripts.bench.turns.holds import SURVIVAL, draw_holds, length_at

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("seconds", "share"), SURVIVAL)
def test_lengths_invert_the_survival_function(seconds: float, share: float) -> None:
    assert length_at(np.array([share]))[0] == pytest.approx(seconds)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_share_that_outlasts_each_time_is_that_of_the_survival_function(seed: int) -> None:
    lengths = draw_holds([number % 7 for number in range(400)], np.random.default_rng(seed))
    for seconds, share in SURVIVAL:
        assert np.mean(lengths > seconds) == pytest.approx(share, abs=0.005)
    assert lengths.min() >= 0.2


def test_a_caller_who_pauses_long_does_so_again() -> None:
    callers = np.repeat(np.arange(200), 2).tolist()
    lengths = draw_holds(callers, np.random.default_rng(3)).reshape(-1, 2)
    ranks = np.argsort(np.argsort(lengths, axis=0), axis=0)
    assert 0.2 < np.corrcoef(ranks[:, 0], ranks[:, 1])[0, 1] < 0.55


def test_a_seed_gives_the_same_pauses_again() -> None:
    first, second = (draw_holds([0, 0, 1, 1], np.random.default_rng(5)) for _ in range(2))
    assert first.tolist() == second.tolist()
