"""Days as callers say them."""

from datetime import date, timedelta

import pytest

from agent.clinic.days import parse_day, say_day

pytestmark = pytest.mark.unit

MONDAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("today", date(2026, 11, 23)),
        ("tomorrow", date(2026, 11, 24)),
        ("the day after tomorrow", date(2026, 11, 25)),
        ("yesterday", date(2026, 11, 22)),
        ("tuesday", date(2026, 11, 24)),
        ("on tuesday", date(2026, 11, 24)),
        ("this tuesday", date(2026, 11, 24)),
        ("next tuesday", date(2026, 12, 1)),
        ("monday", date(2026, 11, 30)),
        ("last friday", date(2026, 11, 20)),
        ("next week", date(2026, 11, 30)),
        ("the weekend", date(2026, 11, 28)),
        ("march third", date(2027, 3, 3)),
        ("the third of march", date(2027, 3, 3)),
        ("march the third", date(2027, 3, 3)),
        ("december twenty first", date(2026, 12, 21)),
        ("the thirty first of january", date(2027, 1, 31)),
        ("february twenty ninth", date(2028, 2, 29)),
        ("the third", date(2026, 12, 3)),
        ("the thirtieth", date(2026, 11, 30)),
        ("in three days", date(2026, 11, 26)),
        ("in two weeks", date(2026, 12, 7)),
        ("a week from tuesday", date(2026, 12, 1)),
        ("Tuesday, November 24th", date(2026, 11, 24)),
        ("2026-12-01", date(2026, 12, 1)),
        ("12/1", date(2026, 12, 1)),
        ("12/1/2027", date(2027, 12, 1)),
        ("as soon as possible", date(2026, 11, 23)),
        ("tuesdays", date(2026, 11, 24)),
        ("wed", date(2026, 11, 25)),
    ],
)
def test_a_day_is_understood(text: str, expected: date) -> None:
    day = parse_day(text, MONDAY)
    assert day is not None
    assert day.date == expected


@pytest.mark.parametrize("text", ["", "blue", "the doctor", "february thirtieth", "2026-13-01", "13/45", "yes please"])
def test_text_without_a_day_is_none(text: str) -> None:
    assert parse_day(text, MONDAY) is None


@pytest.mark.parametrize(
    ("text", "part"),
    [("tuesday", None), ("tomorrow morning", "morning"), ("friday afternoon", "afternoon"), ("tonight", "evening")],
)
def test_the_part_of_the_day_is_understood(text: str, part: str | None) -> None:
    day = parse_day(text, MONDAY)
    assert day is not None
    assert day.part == part


@pytest.mark.parametrize("start", range(7))
def test_a_day_is_understood_as_it_is_spoken_on_any_weekday(start: int) -> None:
    today = MONDAY + timedelta(days=start)
    for ahead in range(365):
        day = today + timedelta(days=ahead)
        spoken = parse_day(say_day(day, today), today)
        assert spoken is not None
        assert spoken.date == day


def test_days_of_the_coming_week_are_named_by_weekday() -> None:
    said = [say_day(MONDAY + timedelta(days=ahead), MONDAY) for ahead in (0, 1, 6, 7, 8, 14)]
    assert said == ["today", "tuesday", "sunday", "monday", "next tuesday", "december seventh"]
