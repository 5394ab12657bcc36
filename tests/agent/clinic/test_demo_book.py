"""The demo book: the contract of every book, and what is particular to the demo."""

from datetime import date, datetime, time, timedelta

import pytest

from agent.clinic.book import Appointment, Identity, Slot
from agent.clinic.clinic import Clinic
from agent.clinic.days import WEEKDAYS
from agent.clinic.demo_book import DemoBook
from agent.clinic.facts import ClinicFacts
from tests.agent.clinic.book_suite import *  # noqa: F403 - the tests that every book passes
from tests.agent.clinic.book_suite import Records

pytestmark = pytest.mark.unit

TUESDAY = date(2026, 11, 24)
THURSDAY = date(2026, 12, 3)
SUNDAY = date(2026, 11, 29)


@pytest.fixture
def book(clinic: Clinic) -> DemoBook:
    assert isinstance(clinic.book, DemoBook)
    return clinic.book


@pytest.fixture
def records(clinic: Clinic) -> Records:
    """What configs/clinic.yaml has the demo book hold."""
    return Records(
        now=clinic.now(),
        doctors=("Chen", "Patel"),
        known=Identity(name="Anna Smith"),
        refills={
            "sent": (Identity(name="David Miller"), "ibuprofen"),
            "needs_doctor": (Identity(name="Linda Brown"), "warfarin"),
            "not_found": (Identity(name="David Miller"), "insulin"),
        },
        ready=(Identity(name="Anna Smith"), "blood test"),
        pending=(Identity(name="Peter Clark"), "x ray", date(2026, 11, 27)),
    )


async def free_on(book: DemoBook, day: date, doctor: str | None = None) -> list[Slot]:
    return await book.free_slots(day, day, doctor=doctor)


async def test_slots_lie_in_the_opening_hours_and_in_the_future(facts: ClinicFacts) -> None:
    book = DemoBook(facts, now=lambda: datetime(2026, 11, 24, 12, 10))
    starts = [slot.start.time() for slot in await free_on(book, TUESDAY)]
    assert starts
    assert all(time(12, 10) < start <= time(17, 30) and start.minute in (0, 30) for start in starts)
    assert await free_on(book, SUNDAY) == []


async def test_a_doctor_sees_nobody_on_a_day_off(book: DemoBook) -> None:
    assert await free_on(book, date(2026, 11, 25), "Garcia") == []


async def test_quarter_hours_are_slots_too(facts: ClinicFacts) -> None:
    book = DemoBook(facts.model_copy(update={"slot_minutes": 15}), now=lambda: datetime(2026, 11, 23))
    assert {slot.start.minute for slot in await free_on(book, TUESDAY)} == {0, 15, 30, 45}


async def test_strangers_hold_the_same_slots_every_week(book: DemoBook) -> None:
    times = [slot.start.time() for slot in await free_on(book, THURSDAY, "patel")]
    assert [slot.start.time() for slot in await free_on(book, THURSDAY + timedelta(days=7), "Patel")] == times
    assert 5 < len(times) < 19


async def test_a_slot_that_a_stranger_holds_cannot_be_booked(facts: ClinicFacts) -> None:
    empty = DemoBook(facts.model_copy(update={"demo": facts.demo.model_copy(update={"busy_share": 0.0})}))
    full = DemoBook(facts.model_copy(update={"demo": facts.demo.model_copy(update={"busy_share": 1.0})}))
    slot = next(iter(await empty.free_slots(date.today(), date.today() + timedelta(days=7))))
    assert not isinstance(await full.book(slot.id, Identity(name="Anna Smith"), reason="visit"), Appointment)
    assert isinstance(await empty.book(slot.id, Identity(name="Anna Smith"), reason="visit"), Appointment)


async def test_the_demo_people_are_in_the_book_on_any_day(facts: ClinicFacts) -> None:
    for ahead in range(7):
        now = datetime(2026, 11, 23, 23, 30) + timedelta(days=ahead)
        book = DemoBook(facts, now=lambda now=now: now)  # type: ignore[misc]
        entries = (await book.snapshot())["appointments"]
        assert {entry["name"] for entry in entries} == {demo.name for demo in facts.demo.appointments}
        assert all(entry["date"] > now.date().isoformat() for entry in entries)


async def test_the_snapshot_counts_confirmations(book: DemoBook) -> None:
    slot = (await free_on(book, TUESDAY, "Chen"))[0]
    before = (await book.snapshot())["appointments"]
    for confirmations in (1, 2):
        await book.book(slot.id, Identity(name="Anna Smith"), reason="flu shot")
        snapshot = await book.snapshot()
        new = [entry for entry in snapshot["appointments"] if entry not in before]
        assert new == [
            {
                "number": len(before) + 1,
                "name": "Anna Smith",
                "doctor": "Chen",
                "date": "2026-11-24",
                "day": "tuesday",
                "time": "nine",
                "reason": "flu shot",
                "confirmations": confirmations,
            }
        ]
    assert (snapshot["clinic"], snapshot["today"]) == ("Riverside Clinic", "2026-11-23")
    assert all(entry["day"] in WEEKDAYS for entry in snapshot["appointments"])
