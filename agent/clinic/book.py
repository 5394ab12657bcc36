"""The clinic's book, in memory: who sees which doctor when, which refills were asked for, which results are there.

One lock guards it, because calls run in different threads. It starts with the demo data of configs/clinic.yaml and
forgets everything when the process ends.
"""

import hashlib
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from agent.clinic.days import WEEKDAYS, SpokenDay, parse_day, say_day
from agent.clinic.facts import ClinicFacts, Doctor
from agent.clinic.times import parse_time, say_time

_HORIZON_DAYS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """One patient, one doctor, one slot."""

    number: int
    name: str
    doctor: str
    start: datetime
    reason: str
    confirmations: int = 1
    """How often it was booked or moved here; more than once if the caller asked again."""


@dataclass(slots=True)
class _Entries:
    """What changes while calls come in."""

    appointments: list[Appointment] = field(default_factory=list)
    cancelled: list[Appointment] = field(default_factory=list)
    refills: list[dict[str, str]] = field(default_factory=list)
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))


RefillStatus = Literal["sent", "needs_doctor", "not_found"]


class Clinic:
    """Doctors' slots and what is entered in them. Safe to use from several threads."""

    def __init__(self, facts: ClinicFacts, *, now: Callable[[], datetime] = datetime.now) -> None:
        self.facts = facts
        self._now = now
        self._lock = threading.RLock()
        self._entries = _Entries()
        self._enter_demo_appointments()

    @property
    def today(self) -> date:
        """The clinic's date."""
        return self._now().date()

    def doctor(self, name: str) -> Doctor | None:
        """The doctor of that last name, however it is written."""
        return next((doctor for doctor in self.facts.doctors if _same(doctor.name, name)), None)

    def free_slots(self, day: date, doctor: Doctor | None = None) -> list[datetime]:
        """The starts of the free slots of a day, with one doctor or with any, in order. None in the past."""
        doctors = self.facts.doctors if doctor is None else (doctor,)
        with self._lock:
            return sorted({slot for each in doctors for slot in self._slots(day, each) if self._is_free(slot, each)})

    def days_with_slots(self, after: date, doctor: Doctor | None = None) -> list[date]:
        """The days from `after` on that have a free slot, in order; at most the next two months."""
        days = (after + timedelta(days=ahead) for ahead in range(_HORIZON_DAYS))
        return [day for day in days if self.free_slots(day, doctor)]

    def book(self, name: str, start: datetime, *, doctor: Doctor | None, reason: str) -> Appointment | None:
        """Enters an appointment; with no doctor named, whoever is free. None if the slot is not free.

        The same patient asking again for what they already have gets that, so that a repeated request does no harm.
        """
        with self._lock:
            mine = self._held_by(name, start, doctor)
            if mine:
                return self._exchange(mine, replace(mine, confirmations=mine.confirmations + 1))
            doctors = self.facts.doctors if doctor is None else (doctor,)
            free = next(
                (each for each in doctors if start in self._slots(start.date(), each) and self._is_free(start, each)),
                None,
            )
            return self._enter(name, free.name, start, reason) if free else None

    def find(self, name: str, day: date) -> Appointment | None:
        """The first appointment of `name` on `day`."""
        with self._lock:
            mine = (each for each in self._entries.appointments if each.start.date() == day and _same(each.name, name))
            return min(mine, key=lambda each: each.start, default=None)

    def cancel(self, appointment: Appointment) -> bool:
        """Removes it; False if somebody else did so before."""
        with self._lock:
            if appointment not in self._entries.appointments:
                return False
            self._entries.appointments.remove(appointment)
            self._entries.cancelled.append(appointment)
            return True

    def move(self, appointment: Appointment, start: datetime) -> Appointment | None:
        """Puts it on another slot of the same doctor. None if that slot is not free or the appointment is gone."""
        doctor = self.doctor(appointment.doctor)
        with self._lock:
            if doctor is None or appointment not in self._entries.appointments:
                return None
            if start not in self.free_slots(start.date(), doctor):
                return None
            return self._exchange(
                appointment, replace(appointment, start=start, confirmations=appointment.confirmations + 1)
            )

    def request_refill(self, name: str, medication: str) -> RefillStatus:
        """Notes the request if the patient has such a prescription and no doctor must see them first."""
        known = (
            each
            for each in self.facts.demo.prescriptions
            if _same(each.name, name) and _same(each.medication, medication)
        )
        prescription = next(known, None)
        if prescription is None:
            return "not_found"
        if prescription.refill == "sent":
            with self._lock:
                self._entries.refills.append({"name": prescription.name, "medication": prescription.medication})
        return prescription.refill

    def result(self, name: str, test: str) -> date | Literal["ready"] | None:
        """'ready', the day on which the result is expected, or None if there is no such test."""
        for known in self.facts.demo.results:
            if _same(known.name, name) and _same(known.test, test):
                expected = parse_day(known.expected, self.today)
                return expected.date if known.status == "pending" and expected else "ready"
        return None

    def snapshot(self) -> dict[str, Any]:
        """Everything entered so far, ready for JSON: for the operator's page and for a test's goal."""
        with self._lock:
            appointments = sorted(self._entries.appointments, key=lambda each: (each.start, each.doctor))
            cancelled = list(self._entries.cancelled)
            refills = [dict(each) for each in self._entries.refills]
        return {
            "clinic": self.facts.name,
            "today": self.today.isoformat(),
            "appointments": [_as_json(each) for each in appointments],
            "cancelled": [_as_json(each) for each in cancelled],
            "refills": refills,
        }

    def hears_day(self, text: str) -> SpokenDay | None:
        """A day as a caller says it."""
        return parse_day(text, self.today)

    def hears_time(self, text: str, day: SpokenDay) -> datetime | None:
        """A time of that day as a caller says it."""
        hours = self.facts.hours.on(day.date.weekday()) or self.facts.hours.weekdays
        moment = parse_time(text, part=day.part, **({"opens": hours.opens, "closes": hours.closes} if hours else {}))
        return datetime.combine(day.date, moment) if moment else None

    def says_day(self, day: date) -> str:
        """A day in the words in which a caller would say it."""
        return say_day(day, self.today)

    def _slots(self, day: date, doctor: Doctor) -> list[datetime]:
        """Every slot of the doctor on that day that is still to come, free or not."""
        hours = self.facts.hours.on(day.weekday())
        if hours is None or WEEKDAYS[day.weekday()] not in doctor.days:
            return []
        step = timedelta(minutes=self.facts.slot_minutes)
        start, end, slots = datetime.combine(day, hours.opens), datetime.combine(day, hours.closes), []
        while start + step <= end:
            if start > self._now():
                slots.append(start)
            start += step
        return slots

    def _is_free(self, slot: datetime, doctor: Doctor) -> bool:
        if any(each.start == slot and _same(each.doctor, doctor.name) for each in self._entries.appointments):
            return False
        return not self._held_by_strangers(slot, doctor)

    def _held_by_strangers(self, slot: datetime, doctor: Doctor) -> bool:
        """The same slots every week, so that a scripted caller meets the same book on any date."""
        demo = self.facts.demo
        key = f"{demo.seed}|{doctor.name}|{slot:%A %H:%M}"
        return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) < demo.busy_share * 2**32

    def _held_by(self, name: str, start: datetime, doctor: Doctor | None) -> Appointment | None:
        """What the patient already has at that time, with that doctor if one is named."""
        for entry in self._entries.appointments:
            if (
                entry.start == start
                and _same(entry.name, name)
                and (doctor is None or _same(entry.doctor, doctor.name))
            ):
                return entry
        return None

    def _exchange(self, old: Appointment, new: Appointment) -> Appointment:
        self._entries.appointments[self._entries.appointments.index(old)] = new
        return new

    def _enter(self, name: str, doctor: str, start: datetime, reason: str) -> Appointment:
        entry = Appointment(number=next(self._entries.numbers), name=name, doctor=doctor, start=start, reason=reason)
        self._entries.appointments.append(entry)
        return entry

    def _enter_demo_appointments(self) -> None:
        for each in self.facts.demo.appointments:
            day = self.hears_day(each.day)
            start = self.hears_time(each.time, day) if day else None
            if start:
                self._enter(each.name, each.doctor, start, each.reason)


def _same(one: str, other: str) -> bool:
    """Whether two names or words are the same but for case and spacing."""
    return one.casefold().split() == other.casefold().split()


def _as_json(entry: Appointment) -> dict[str, Any]:
    return {
        "number": entry.number,
        "name": entry.name,
        "doctor": entry.doctor,
        "date": entry.start.date().isoformat(),
        "day": WEEKDAYS[entry.start.weekday()],
        "time": say_time(time(entry.start.hour, entry.start.minute)),
        "reason": entry.reason,
        "confirmations": entry.confirmations,
    }
