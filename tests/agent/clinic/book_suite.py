"""The contract of a Book, as tests: what every one does, whatever record system is behind it.

A test module imports the tests with `from tests.agent.clinic.book_suite import *` and provides two fixtures:
`book`, new for each test, and `records`, which says what the record system behind it holds.
"""

import asyncio
import json
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from agent.clinic.book import Appointment, Book, Identity, Patient, Refusal, ResultStatus, Slot

NEW = Identity(name="Nora Newcomer", birth_date=date(1980, 2, 29), phone="5550100")
OTHER = Identity(name="Oscar Otherwise")


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What the record system under test holds."""

    now: datetime
    """The clinic's local time."""
    doctors: tuple[str, str]
    """Two doctors with free slots on several of the next fourteen days."""
    known: Identity
    """A patient without appointments on those days."""
    refills: dict[str, tuple[Identity, str]]
    """By the answer: who asks for which medication."""
    ready: tuple[Identity, str]
    pending: tuple[Identity, str, date]
    """Whose test has a result; and whose has none yet, with the day on which it is expected."""

    @property
    def first(self) -> date:
        return self.now.date()

    @property
    def last(self) -> date:
        return self.first + timedelta(days=13)


async def free(book: Book, records: Records) -> list[Slot]:
    return await book.free_slots(records.first, records.last, doctor=records.doctors[0])


async def booked(book: Book, slot: Slot, who: Patient | Identity = NEW) -> Appointment:
    found = await book.book(slot.id, who, reason="visit")
    assert isinstance(found, Appointment)
    return found


async def known(book: Book, who: Identity) -> Patient:
    (patient,) = await book.find_patients(who)
    return patient


async def theirs(book: Book, records: Records, patient: Patient) -> list[Appointment]:
    return await book.appointments(patient, records.first, records.last)


async def test_free_slots_are_in_order_and_in_the_future(book: Book, records: Records) -> None:
    slots = await book.free_slots(records.first, records.last)
    starts = [slot.start for slot in slots]
    assert all(records.now < start and records.first <= start.date() <= records.last for start in starts)
    assert starts == sorted(start.replace(tzinfo=None) for start in starts)
    assert len({slot.id for slot in slots}) == len(slots)
    assert await book.free_slots(records.first - timedelta(days=7), records.first - timedelta(days=1)) == []


async def test_free_slots_of_a_doctor_are_only_theirs(book: Book, records: Records) -> None:
    everybody = await book.free_slots(records.first, records.last)
    for doctor in records.doctors:
        slots = await book.free_slots(records.first, records.last, doctor=doctor)
        assert slots == [slot for slot in everybody if slot.doctor == doctor] != []
    assert await book.free_slots(records.first, records.last, doctor="nobody") == []


async def test_a_booked_slot_is_no_longer_free(book: Book, records: Records) -> None:
    slot = (await free(book, records))[0]
    appointment = await booked(book, slot)
    assert (appointment.slot, appointment.patient.name, appointment.reason) == (slot, NEW.name, "visit")
    assert slot not in await free(book, records)
    assert await book.book(slot.id, OTHER, reason="visit") is Refusal.SLOT_TAKEN
    assert await book.find_patients(OTHER) == []


async def test_a_slot_that_does_not_exist_cannot_be_booked(book: Book, records: Records) -> None:
    for slot_id in ("", "no such slot", f"{records.doctors[0]}@", "\N{PILE OF POO}" * 1000):
        assert await book.book(slot_id, NEW, reason="visit") is Refusal.SLOT_TAKEN


async def test_booking_the_same_slot_again_confirms_it(book: Book, records: Records) -> None:
    slot = (await free(book, records))[0]
    first = await booked(book, slot)
    for who in (NEW, first.patient):
        again = await booked(book, slot, who)
        assert (again.id, again.slot) == (first.id, slot)
        assert again.version != first.version
        assert await theirs(book, records, first.patient) == [again]


async def test_somebody_new_becomes_a_patient(book: Book, records: Records) -> None:
    assert await book.find_patients(NEW) == []
    slots = await free(book, records)
    patient = (await booked(book, slots[0])).patient
    assert await book.find_patients(NEW) == [patient]
    assert (await booked(book, slots[1])).patient == patient
    assert [each.slot for each in await theirs(book, records, patient)] == slots[:2]


async def test_a_patient_is_found_only_if_everything_given_agrees(book: Book, records: Records) -> None:
    patient = (await booked(book, (await free(book, records))[0])).patient
    for right in (Identity(name="nora  NEWCOMER"), Identity(name=NEW.name, birth_date=NEW.birth_date), NEW):
        assert await book.find_patients(right) == [patient]
    for wrong in (
        Identity(name=""),
        Identity(name="Nora"),
        Identity(name=NEW.name, birth_date=date(1980, 3, 1)),
        Identity(name=NEW.name, birth_date=NEW.birth_date, phone="5550101"),
    ):
        assert await book.find_patients(wrong) == []


async def test_two_patients_of_one_name_are_both_found(book: Book, records: Records) -> None:
    slots = await free(book, records)
    namesake = Identity(name=NEW.name, birth_date=date(2001, 1, 1))
    patients = [(await booked(book, slot, who)).patient for slot, who in zip(slots, (NEW, namesake), strict=False)]
    assert patients[0].id != patients[1].id
    assert await book.find_patients(Identity(name=NEW.name)) == patients
    assert await book.book(slots[0].id, namesake, reason="visit") is Refusal.SLOT_TAKEN
    assert len(await theirs(book, records, patients[1])) == 1


async def test_appointments_are_those_of_the_days_asked_for(book: Book, records: Records) -> None:
    (patient,), slots = await book.find_patients(records.known), await free(book, records)
    late, early = await booked(book, slots[-1], patient), await booked(book, slots[0], patient)
    assert early.slot.start.date() < late.slot.start.date()
    assert await theirs(book, records, patient) == [early, late]
    assert await book.appointments(patient, records.first, early.slot.start.date()) == [early]
    assert await book.appointments(patient, late.slot.start.date(), records.last) == [late]


async def test_cancelling_frees_the_slot_once(book: Book, records: Records) -> None:
    appointment = await booked(book, (await free(book, records))[0])
    assert await book.cancel(appointment) == appointment
    assert await book.cancel(appointment) is Refusal.APPOINTMENT_CHANGED
    assert appointment.slot in await free(book, records)
    assert await theirs(book, records, appointment.patient) == []
    again = await booked(book, appointment.slot)
    assert again.id != appointment.id
    assert await book.cancel(again) == again
    assert await booked(book, appointment.slot, OTHER)


async def test_moving_frees_the_old_slot_and_holds_the_new_one(book: Book, records: Records) -> None:
    slots = await free(book, records)
    appointment = await booked(book, slots[0])
    moved = await book.move(appointment, slots[1].id)
    assert isinstance(moved, Appointment)
    assert (moved.id, moved.slot, moved.patient) == (appointment.id, slots[1], appointment.patient)
    assert moved.version != appointment.version
    assert [slot in await free(book, records) for slot in slots[:2]] == [True, False]


async def test_a_move_to_a_slot_that_is_taken_changes_nothing(book: Book, records: Records) -> None:
    slots = await free(book, records)
    appointment, _ = await booked(book, slots[0]), await booked(book, slots[1], OTHER)
    for slot_id in (slots[1].id, "no such slot"):
        assert await book.move(appointment, slot_id) is Refusal.SLOT_TAKEN
    assert await theirs(book, records, appointment.patient) == [appointment]


async def test_an_appointment_that_has_changed_since_it_was_read_stays_as_it_is(book: Book, records: Records) -> None:
    slots = await free(book, records)
    read = await booked(book, slots[0])
    changed = await book.move(read, slots[1].id)
    assert await book.cancel(read) is Refusal.APPOINTMENT_CHANGED
    assert await book.move(read, slots[2].id) is Refusal.APPOINTMENT_CHANGED
    assert await theirs(book, records, read.patient) == [changed]


def _in_threads(*calls: Coroutine[Any, Any, Appointment | Refusal]) -> list[Appointment | Refusal]:
    """Run each call on an event loop of its own in a thread of its own, all at once, as calls run."""
    start = threading.Barrier(len(calls))

    async def run(call: Coroutine[Any, Any, Appointment | Refusal]) -> Appointment | Refusal:
        start.wait()
        return await call

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(asyncio.run, map(run, calls)))


async def test_of_many_callers_at_once_one_gets_the_slot(book: Book, records: Records) -> None:
    slot = (await free(book, records))[0]
    results = _in_threads(*(book.book(slot.id, Identity(name=f"Caller {i}"), reason="visit") for i in range(8)))
    assert results.count(Refusal.SLOT_TAKEN) == 7


async def test_one_caller_asking_twice_at_once_is_booked_once(book: Book, records: Records) -> None:
    slot = (await free(book, records))[0]
    results = _in_threads(*(book.book(slot.id, NEW, reason="visit") for _ in range(8)))
    assert len({each.id for each in results if isinstance(each, Appointment)}) == 1
    assert Refusal.SLOT_TAKEN not in results
    assert len(await theirs(book, records, await known(book, NEW))) == 1


@pytest.mark.parametrize("answer", ["sent", "needs_doctor", "not_found"])
async def test_refills(book: Book, records: Records, answer: str) -> None:
    who, medication = records.refills[answer]
    before = (await book.snapshot())["refills"]
    assert await book.request_refill(await known(book, who), medication.upper()) == answer
    assert len((await book.snapshot())["refills"]) == len(before) + (answer == "sent")


async def test_results(book: Book, records: Records) -> None:
    (who, test), (other, other_test, day) = records.ready, records.pending
    assert await book.find_result(await known(book, who), test.upper()) == ResultStatus(is_ready=True)
    assert await book.find_result(await known(book, other), other_test) == ResultStatus(is_ready=False, expected=day)
    assert await book.find_result(await known(book, who), "no such test") is None


async def test_nobody_gets_the_answers_of_a_namesake(book: Book, records: Records) -> None:
    for who, thing in (records.refills["sent"], records.ready):
        namesake = Identity(name=who.name, birth_date=date(2001, 1, 1), phone="5550102")
        patient = (await booked(book, (await free(book, records))[0], namesake)).patient
        assert await book.request_refill(patient, thing) == "not_found"
        assert await book.find_result(patient, thing) is None


async def test_the_snapshot_is_json_and_a_copy(book: Book, records: Records) -> None:
    slots = await free(book, records)
    await booked(book, slots[0])
    await book.cancel(await booked(book, slots[1], OTHER))
    snapshot = await book.snapshot()
    json.dumps(snapshot)
    assert NEW.name in [entry["name"] for entry in snapshot["appointments"]]
    assert [entry["name"] for entry in snapshot["cancelled"]] == [OTHER.name]
    snapshot["appointments"].clear()
    assert (await book.snapshot())["appointments"]
