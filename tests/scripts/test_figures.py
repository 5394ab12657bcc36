"""Percentiles and how figures are written."""

import pytest

from scripts.figures import milliseconds, number, percentile, summarize

pytestmark = pytest.mark.unit


def test_percentiles_lie_between_the_two_nearest_values() -> None:
    assert percentile([1.0, 2.0], 50) == 1.5
    assert percentile([], 95) is None


def test_a_summary_is_rounded_and_counts() -> None:
    assert summarize([1.0, 2.04, 3.0]) == {"p50": 2.0, "p95": 2.9, "n": 3}
    assert summarize([]) == {"p50": None, "p95": None, "n": 0}


def test_a_dash_stands_for_no_value() -> None:
    assert (number(12.6), number(None)) == ("13", "–")
    assert (milliseconds([0.0123], 50, digits=1), milliseconds([], 50)) == ("12.3 ms", "–")
