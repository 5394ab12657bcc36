"""eot-bench's figures."""

import numpy as np
import pytest

from scripts.train.end_of_turn.figures import Judged, auc, reliability, sweep
from scripts.train.end_of_turn.heard import TIMES_S

pytestmark = pytest.mark.unit

ENDED = np.array([True, True, False, False])


def judged(scores: list[float], hold_s: float = 0.7) -> Judged:
    """Two ends and two pauses, each scored alike at all times."""
    return Judged(np.tile(np.array(scores)[:, None], len(TIMES_S)), ENDED, np.where(ENDED, 0.0, hold_s))


@pytest.mark.parametrize(
    ("scores", "expected"), [([0.8, 0.9, 0.1, 0.2], 1.0), ([0.5] * 4, 0.5), ([0.9, 0.1, 0.5, 0.5], 0.5)]
)
def test_auc_is_the_share_of_pairs_in_the_right_order(scores: list[float], expected: float) -> None:
    assert auc(np.array(scores), ENDED) == pytest.approx(expected)


def test_a_perfect_judge_answers_at_once_and_cuts_nothing_off() -> None:
    assert (0.2, 0.0) in [(round(delay_s, 3), cut) for delay_s, cut in sweep(judged([1.0, 1.0, 0.0, 0.0]))]


def test_without_a_judge_delay_is_bought_with_pauses_that_are_cut_off() -> None:
    points = sweep(judged([0.0] * 4))
    assert min(delay for delay, cut in points if cut == 0) >= 0.7
    assert min(delay for delay, _ in points) == pytest.approx(1.0)


def test_certainty_that_is_always_right_is_calibrated() -> None:
    assert reliability(judged([1.0, 1.0, 0.0, 0.0])) == "calibration error 0.000"
