"""The clinic's book."""

import json
import threading
from datetime import date, datetime, time, timedelta

import pytest

from agent.clinic.book import Clinic
from agent.clinic.days import WEEKDAYS
from agent.clinic.facts import ClinicFacts, Doctor

pytestmark = pytest.mark.unit

TUESDAY = date(2026, 11, 24)
SUNDAY = date(2026, 11, 29)
HALF_PAST_TEN = datetime(2026, 11, 24, 10, 30)


def chen(clinic: Clinic) -> Doctor:
    doctor = clinic.doctor("chen")
    assert doctor is not None
    return doctor


def names(clinic: Clinic) -> list[str]:
    return [entry["name"] for entry in clinic.snapshot()["appointments"]]


def test_a_booked_slot_is_no_longer_free(clinic: Clinic) -> None:
    assert HALF_PAST_TEN in clinic.free_slots(TUESDAY, chen(clinic))
    assert clinic.book("Anna Smith", HALF_PAST_TEN, doctor=chen(clinic), reason="visit")
    assert HALF_PAST_TEN not in clinic.free_slots(TUESDAY, chen(clinic))
    assert clinic.book("John Moore", HALF_PAST_TEN, doctor=chen(clinic), reason="visit") is None


def test_asking_again_confirms_what_is_there(clinic: Clinic) -> None:
    before = len(names(clinic))
    first = clinic.book("Anna Smith", HALF_PAST_TEN, doctor=chen(clinic), reason="visit")
    again = clinic.book("anna  smith", HALF_PAST_TEN, doctor=None, reason="visit")
    assert first is not None
    assert again is not None
    assert (again.number, again.confirmations) == (first.number, 2)
    assert len(names(clinic)) == before + 1


def test_any_doctor_means_one_who_is_free(clinic: Clinic) -> None:
    taken = {clinic.book(f"Caller {i}", HALF_PAST_TEN, doctor=None, reason="visit") for i in range(5)}
    doctors = {entry.doctor for entry in taken if entry}
    assert None in taken
    assert doctors == {"Chen", "Garcia"}


def test_slots_lie_in_the_opening_hours_and_in_the_future(facts: ClinicFacts) -> None:
    clinic = Clinic(facts, now=lambda: datetime(2026, 11, 24, 12, 10))
    slots = clinic.free_slots(TUESDAY)
    assert slots
    assert all(time(12, 10) < slot.time() <= time(17, 30) and slot.minute in (0, 30) for slot in slots)
    assert clinic.free_slots(SUNDAY) == []
    assert clinic.free_slots(TUESDAY - timedelta(days=1)) == []


def test_a_doctor_sees_nobody_on_a_day_off(clinic: Clinic) -> None:
    assert clinic.free_slots(date(2026, 11, 25), clinic.doctor("Garcia")) == []


def test_quarter_hours_are_slots_too(facts: ClinicFacts) -> None:
    clinic = Clinic(facts.model_copy(update={"slot_minutes": 15}))
    assert {slot.minute for slot in clinic.free_slots(clinic.today + timedelta(days=7))} <= {0, 15, 30, 45}


def test_strangers_hold_the_same_slots_every_week(clinic: Clinic, facts: ClinicFacts) -> None:
    patel = clinic.doctor("Patel")
    thursday = date(2026, 12, 3)
    times = [slot.time() for slot in clinic.free_slots(thursday, patel)]
    assert [slot.time() for slot in clinic.free_slots(thursday + timedelta(days=7), patel)] == times
    assert 5 < len(times) < 19


def test_cancelling_frees_the_slot_once(clinic: Clinic) -> None:
    entry = clinic.book("Anna Smith", HALF_PAST_TEN, doctor=chen(clinic), reason="visit")
    assert entry is not None
    assert clinic.cancel(entry)
    assert not clinic.cancel(entry)
    assert HALF_PAST_TEN in clinic.free_slots(TUESDAY, chen(clinic))
    assert [entry["name"] for entry in clinic.snapshot()["cancelled"]] == ["Anna Smith"]


def test_moving_keeps_the_doctor_and_frees_the_old_slot(clinic: Clinic) -> None:
    entry = clinic.book("Anna Smith", HALF_PAST_TEN, doctor=chen(clinic), reason="visit")
    assert entry is not None
    wednesday = clinic.free_slots(date(2026, 11, 25), chen(clinic))[0]
    moved = clinic.move(entry, wednesday)
    assert moved is not None
    assert (moved.doctor, moved.start, moved.number) == ("Chen", wednesday, entry.number)
    assert HALF_PAST_TEN in clinic.free_slots(TUESDAY, chen(clinic))
    assert clinic.move(entry, wednesday) is None


def test_the_demo_people_are_in_the_book_on_any_day(facts: ClinicFacts) -> None:
    for ahead in range(7):
        now = datetime(2026, 11, 23, 23, 30) + timedelta(days=ahead)
        entries = Clinic(facts, now=lambda now=now: now).snapshot()["appointments"]  # type: ignore[misc]
        assert {entry["name"] for entry in entries} == {demo.name for demo in facts.demo.appointments}
        assert all(entry["date"] > now.date().isoformat() for entry in entries)


def test_the_snapshot_is_json_and_a_copy(clinic: Clinic) -> None:
    snapshot = clinic.snapshot()
    json.dumps(snapshot)
    snapshot["appointments"].clear()
    assert clinic.snapshot()["appointments"]
    assert all(entry["day"] in WEEKDAYS for entry in clinic.snapshot()["appointments"])


def test_of_many_callers_at_once_only_one_gets_the_slot(clinic: Clinic) -> None:
    doctor, booked = chen(clinic), []
    start = threading.Barrier(8)

    def call(number: int) -> None:
        start.wait()
        if clinic.book(f"Caller {number}", HALF_PAST_TEN, doctor=doctor, reason="visit"):
            booked.append(number)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(booked) == 1
