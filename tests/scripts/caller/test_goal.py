"""Whether a call reached its goal."""

import pytest

from scripts.caller.errors import CallerError
from scripts.caller.goal import fetch_snapshot, needs_snapshot, unmet

pytestmark = pytest.mark.unit

ANNA = {"name": "Anna Smith", "doctor": "Chen", "date": "2026-11-24", "time": "09:00"}
JAMES = {"name": "James Wilson", "doctor": "Patel", "date": "2026-11-26", "time": "14:00"}
WANTED = {"appointments": [{"name": "anna smith", "doctor": "chen"}]}


def test_a_new_record_with_the_wanted_fields_is_enough() -> None:
    assert unmet(WANTED, {"appointments": [JAMES]}, {"appointments": [JAMES, ANNA]}, "") == []


def test_a_record_from_before_the_call_is_not() -> None:
    missing = unmet(WANTED, {"appointments": [ANNA]}, {"appointments": [ANNA]}, "")
    assert missing == ["no new appointments entry with name: anna smith, doctor: chen"]


def test_a_second_record_like_an_old_one_counts() -> None:
    assert unmet(WANTED, {"appointments": [ANNA]}, {"appointments": [ANNA, ANNA]}, "") == []


def test_another_doctor_is_not_enough() -> None:
    after = {"appointments": [ANNA | {"doctor": "Patel"}]}
    assert len(unmet(WANTED, {"appointments": []}, after, "")) == 1


def test_one_record_does_not_meet_two_wishes() -> None:
    goal = {"appointments": [{"name": "anna smith"}, {"name": "anna smith"}]}
    assert len(unmet(goal, {}, {"appointments": [ANNA]}, "")) == 1


def test_what_the_agent_must_have_said() -> None:
    goal = {"said": ["parking", "clos(ed|es)"]}
    assert unmet(goal, {}, {}, "There is free Parking. We are closed on Sunday.") == []
    assert unmet(goal, {}, {}, "There is free parking.") == ["the agent never said 'clos(ed|es)'"]
    assert not needs_snapshot(goal)
    assert needs_snapshot(goal | WANTED)


async def test_a_missing_worker_is_reported_in_words() -> None:
    with pytest.raises(CallerError, match="make run"):
        await fetch_snapshot("http://127.0.0.1:9")
