"""The slots of the demo book: the doctors' working days cut into equal pieces, some of them held by strangers.

Strangers hold the same slots every week, so that a scripted caller finds the same book on any date.
"""

import hashlib
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from agent.clinic.book import Slot
from agent.clinic.days import WEEKDAYS
from agent.clinic.facts import ClinicFacts, Doctor


def open_slots(facts: ClinicFacts, day: date, after: datetime) -> Iterator[Slot]:
    """The slots of a day that begin after `after` and that no stranger holds, doctor by doctor."""
    for doctor in facts.doctors:
        for start in _starts(facts, day, doctor):
            if start > after and not _held_by_stranger(facts, start, doctor):
                yield demo_slot(doctor, start)


def demo_slot(doctor: Doctor, start: datetime) -> Slot:
    """The slot of a doctor at a time."""
    return Slot(id=f"{doctor.name}@{start.isoformat()}", doctor=doctor.name, start=start)


def _starts(facts: ClinicFacts, day: date, doctor: Doctor) -> Iterator[datetime]:
    hours = facts.hours.on(day.weekday())
    if hours is None or WEEKDAYS[day.weekday()] not in doctor.days:
        return
    step = timedelta(minutes=facts.slot_minutes)
    start, closes = datetime.combine(day, hours.opens), datetime.combine(day, hours.closes)
    while start + step <= closes:
        yield start
        start += step


def _held_by_stranger(facts: ClinicFacts, start: datetime, doctor: Doctor) -> bool:
    key = f"{facts.demo.seed}|{doctor.name}|{start:%A %H:%M}"
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) < facts.demo.busy_share * 2**32
