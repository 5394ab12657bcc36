"""A book in memory, filled with the invented people and bookings of configs/clinic.yaml. A restart forgets what was booked."""

import itertools
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from agent.clinic.book import Appointment, Identity, Patient, RefillStatus, Refusal, ResultStatus, Slot
from agent.clinic.clinic import Clinic
from agent.clinic.days import WEEKDAYS, parse_day
from agent.clinic.demo_slots import demo_slot, open_slots
from agent.clinic.facts import ClinicFacts, DemoAppointment, same_words
from agent.clinic.times import say_time


def demo_clinic(facts: ClinicFacts, *, now: Callable[[], datetime] = datetime.now) -> Clinic:
    """A clinic with a new demo book."""
    return Clinic(facts, DemoBook(facts, now=now), now)


class DemoBook:
    """Implements Book, which documents the methods. None of them waits for anything but the lock."""

    def __init__(self, facts: ClinicFacts, *, now: Callable[[], datetime] = datetime.now) -> None:
        self._facts = facts
        self._now = now
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._people: dict[str, Identity] = {}
        self._appointments: dict[str, Appointment] = {}
        self._cancelled: list[Appointment] = []
        self._refills: list[dict[str, str]] = []
        demo = facts.demo
        self._prescriptions = [(self._patient(Identity(name=each.name)), each) for each in demo.prescriptions]
        self._results = [(self._patient(Identity(name=each.name)), each) for each in demo.results]
        for each in demo.appointments:
            self._enter_demo_appointment(each)

    async def find_patients(self, who: Identity) -> list[Patient]:
        with self._lock:
            return self._matching(who)

    async def free_slots(self, first: date, last: date, *, doctor: str | None = None) -> list[Slot]:
        days = (first + timedelta(days=ahead) for ahead in range((last - first).days + 1))
        with self._lock:
            free = [slot for day in days for slot in self._free_on(day)]
        wanted = [slot for slot in free if doctor is None or same_words(slot.doctor, doctor)]
        return sorted(wanted, key=lambda slot: slot.start)

    async def appointments(self, patient: Patient, first: date, last: date) -> list[Appointment]:
        with self._lock:
            theirs = [each for each in self._appointments.values() if each.patient == patient]
        return sorted(
            (each for each in theirs if first <= each.slot.start.date() <= last), key=lambda each: each.slot.start
        )

    async def book(self, slot_id: str, patient: Patient | Identity, *, reason: str) -> Appointment | Refusal:
        with self._lock:
            held = next((each for each in self._appointments.values() if each.slot.id == slot_id), None)
            if held is not None:
                known = [patient] if isinstance(patient, Patient) else self._matching(patient)
                return self._change(held) if held.patient in known else Refusal.SLOT_TAKEN
            slot = self._free_slot(slot_id)
            if slot is None:
                return Refusal.SLOT_TAKEN
            return self._enter(patient if isinstance(patient, Patient) else self._patient(patient), slot, reason)

    async def cancel(self, appointment: Appointment) -> Appointment | Refusal:
        with self._lock:
            if not self._is_current(appointment):
                return Refusal.APPOINTMENT_CHANGED
            self._cancelled.append(self._appointments.pop(appointment.id))
            return appointment

    async def move(self, appointment: Appointment, slot_id: str) -> Appointment | Refusal:
        with self._lock:
            if not self._is_current(appointment):
                return Refusal.APPOINTMENT_CHANGED
            slot = self._free_slot(slot_id)
            return Refusal.SLOT_TAKEN if slot is None else self._change(appointment, slot=slot)

    async def request_refill(self, patient: Patient, medication: str) -> RefillStatus:
        for owner, known in self._prescriptions:
            if owner == patient and same_words(known.medication, medication):
                if known.refill == "sent":
                    with self._lock:
                        self._refills.append({"name": known.name, "medication": known.medication})
                return known.refill
        return "not_found"

    async def find_result(self, patient: Patient, test: str) -> ResultStatus | None:
        for owner, known in self._results:
            if owner == patient and same_words(known.test, test):
                expected = parse_day(known.expected, self._now().date()) if known.status == "pending" else None
                return ResultStatus(is_ready=expected is None, expected=expected.date if expected else None)
        return None

    async def snapshot(self) -> dict[str, Any]:
        with self._lock:
            appointments = sorted(self._appointments.values(), key=lambda each: (each.slot.start, each.slot.doctor))
            cancelled = list(self._cancelled)
            refills = [dict(each) for each in self._refills]
        return {
            "clinic": self._facts.name,
            "today": self._now().date().isoformat(),
            "appointments": [_as_json(each) for each in appointments],
            "cancelled": [_as_json(each) for each in cancelled],
            "refills": refills,
        }

    def _free_on(self, day: date) -> list[Slot]:
        held = {each.slot.id for each in self._appointments.values()}
        return [slot for slot in open_slots(self._facts, day, self._now()) if slot.id not in held]

    def _free_slot(self, slot_id: str) -> Slot | None:
        """The slot, if it is free."""
        try:
            day = date.fromisoformat(slot_id.partition("@")[2][: len("2026-11-24")])
        except ValueError:
            return None
        return next((slot for slot in self._free_on(day) if slot.id == slot_id), None)

    def _matching(self, who: Identity) -> list[Patient]:
        return [Patient(id=key, name=known.name) for key, known in self._people.items() if _agrees(known, who)]

    def _patient(self, who: Identity) -> Patient:
        """The patient whom `who` describes, entered now if there is none."""
        matching = self._matching(who)
        if matching:
            return matching[0]
        patient = Patient(id=f"patient {len(self._people) + 1}", name=who.name)
        self._people[patient.id] = who
        return patient

    def _is_current(self, appointment: Appointment) -> bool:
        return self._appointments.get(appointment.id) == appointment

    def _enter(self, patient: Patient, slot: Slot, reason: str) -> Appointment:
        number = str(next(self._numbers))
        entry = Appointment(id=number, version="1", patient=patient, slot=slot, reason=reason)
        self._appointments[entry.id] = entry
        return entry

    def _change(self, appointment: Appointment, *, slot: Slot | None = None) -> Appointment:
        version = str(int(appointment.version) + 1)
        changed = replace(appointment, version=version, slot=slot or appointment.slot)
        self._appointments[changed.id] = changed
        return changed

    def _enter_demo_appointment(self, booking: DemoAppointment) -> None:
        day = parse_day(booking.day, self._now().date())
        start = self._facts.parse_start(booking.time, day) if day else None
        doctor = self._facts.doctor(booking.doctor)
        if start and doctor:
            self._enter(self._patient(Identity(name=booking.name)), demo_slot(doctor, start), booking.reason)


def _agrees(known: Identity, who: Identity) -> bool:
    """Whether the record agrees with everything that was given."""
    return (
        same_words(known.name, who.name)
        and who.birth_date in (None, known.birth_date)
        and who.phone in (None, known.phone)
    )


def _as_json(entry: Appointment) -> dict[str, Any]:
    """`confirmations`: how often it was booked or moved here; more than once if the caller asked again."""
    start = entry.slot.start
    return {
        "number": int(entry.id),
        "name": entry.patient.name,
        "doctor": entry.slot.doctor,
        "date": start.date().isoformat(),
        "day": WEEKDAYS[start.weekday()],
        "time": say_time(start.time()),
        "reason": entry.reason,
        "confirmations": int(entry.version),
    }
