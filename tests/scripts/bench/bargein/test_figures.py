"""Figures of barge-in: shares, percentiles with cases that never stop, the table, the picture's points."""

import pytest

from scripts.bench.bargein.figures import GROUPS, Outcome, caught, false_stops, rows
from scripts.bench.bargein.picture import point
from scripts.bench.bargein.run import NEVER

pytestmark = pytest.mark.unit


def wish(delay_s: float) -> Outcome:
    """An interruption."""
    return Outcome("interruption", "clean", "x", True, delay_s)


def murmur(delay_s: float) -> Outcome:
    """A backchannel."""
    return Outcome("backchannel", "clean", "x", False, delay_s)


def test_an_interruption_that_never_stopped_the_agent_counts() -> None:
    found = caught([wish(0.2), wish(0.3), wish(0.45), wish(NEVER), murmur(0.1)])
    assert (found.count, found.within_300_ms, found.within_500_ms, found.ever) == (4, 0.5, 0.75, 0.75)
    assert found.p50_s == 0.3
    assert found.p95_s == NEVER


def test_outcomes_without_an_interruption_are_refused() -> None:
    with pytest.raises(ValueError, match="no interruption"):
        caught([murmur(0.1)])


@pytest.mark.parametrize(
    ("delays_s", "p50_s", "p95_s"),
    [
        ((0.1, 0.2, 0.3, NEVER), 0.2, NEVER),
        ((0.1, NEVER), 0.1, NEVER),
        ((*(number / 100 for number in range(19)), NEVER), 0.09, 0.18),
        ((0.1, NEVER, NEVER), NEVER, NEVER),
    ],
)
def test_percentiles_are_not_interpolated(delays_s: tuple[float, ...], p50_s: float, p95_s: float) -> None:
    found = caught(wish(delay_s) for delay_s in delays_s)
    assert (found.p50_s, found.p95_s) == (p50_s, p95_s)


def test_false_stops_are_counted_by_group() -> None:
    outcomes = [murmur(0.3), murmur(NEVER), wish(0.2)]
    assert false_stops(outcomes, "backchannel") == (1, 2)
    assert false_stops(outcomes, "echo") == (0, 0)


def test_the_table_has_a_column_for_each_group_and_a_dash_for_no_cases() -> None:
    header, row = rows({"ours": [wish(0.2), wish(NEVER), murmur(0.3)]})
    assert len(header) == len(row) == 7 + len(GROUPS)
    assert row[:7] == ["ours", "2", "200 ms", "never", "50.0%", "50.0%", "50.0%"]
    assert row[7] == "100.0% of 1"
    assert row[8] == "-"


def test_a_point_of_the_picture_is_in_percent() -> None:
    assert point([wish(0.2), wish(0.6), murmur(0.3), murmur(NEVER), murmur(NEVER), murmur(NEVER)]) == (25.0, 50.0)
    with pytest.raises(ValueError, match="no backchannel"):
        point([wish(0.2)])
