"""Times of day as callers say them."""

from datetime import time

import pytest

from agent.clinic.times import parse_time, say_time

pytestmark = pytest.mark.unit

OPENS, CLOSES = time(8, 30), time(18)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ten", time(10)),
        ("two", time(14)),
        ("ten thirty", time(10, 30)),
        ("two fifteen", time(14, 15)),
        ("ten oh five", time(10, 5)),
        ("half past two", time(14, 30)),
        ("quarter past nine", time(9, 15)),
        ("quarter to four", time(15, 45)),
        ("a quarter to one", time(12, 45)),
        ("ten past nine", time(9, 10)),
        ("twenty five to ten", time(9, 35)),
        ("noon", time(12)),
        ("twelve", time(12)),
        ("twelve thirty", time(12, 30)),
        ("nine o'clock", time(9)),
        ("two in the afternoon", time(14)),
        ("nine in the morning", time(9)),
        ("ten a m", time(10)),
        ("three p m", time(15)),
        ("at around four please", time(16)),
        ("3:30 pm", time(15, 30)),
        ("9 a.m.", time(9)),
        ("15:30", time(15, 30)),
        ("1530", time(15, 30)),
        ("10.30", time(10, 30)),
        ("eight p m", time(20)),
        ("six", time(18)),
        ("seven", time(7)),
    ],
)
def test_a_time_is_understood(text: str, expected: time) -> None:
    assert parse_time(text, opens=OPENS, closes=CLOSES) == expected


@pytest.mark.parametrize("text", ["", "blue", "the first one", "25:99", "half past"])
def test_text_without_a_time_is_none(text: str) -> None:
    assert parse_time(text) is None


def test_the_part_of_the_day_decides_where_the_hour_is_ambiguous() -> None:
    assert parse_time("nine", opens=time(7), closes=time(22), part="evening") == time(21)
    assert parse_time("nine", opens=time(7), closes=time(22), part="morning") == time(9)


def test_every_slot_is_understood_as_it_is_spoken() -> None:
    for minutes in range(8 * 60 + 30, 18 * 60, 5):
        moment = time(minutes // 60, minutes % 60)
        assert parse_time(say_time(moment), opens=OPENS, closes=CLOSES) == moment
