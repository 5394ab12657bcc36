"""The record system behind the front desk: the protocol that a clinic's own system implements, and the values it deals in.

Dates and times are the clinic's local ones, without a time zone. Ids belong to the record system and mean nothing to anybody
else. What any call may run into, such as a slot that has just been taken, is a result and not an exception.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal, Protocol

RefillStatus = Literal["sent", "needs_doctor", "not_found"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a caller says they are."""

    name: str
    birth_date: date | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """Somebody the record system knows."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A time at which a doctor can see one patient."""

    id: str
    doctor: str
    """The last name, as in the clinic's facts."""
    start: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """One patient in one slot."""

    id: str
    version: str
    """Different after every change, so that nobody changes what they have not read."""
    patient: Patient
    slot: Slot
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultStatus:
    """What can be said about a test result."""

    is_ready: bool
    expected: date | None = None
    """The day on which a result that is not ready is expected, if anybody knows."""


class Refusal(StrEnum):
    """Why the record system did not do what it was asked."""

    SLOT_TAKEN = "slot_taken"
    """The slot is not free: held by somebody else, over, or never there."""
    APPOINTMENT_CHANGED = "appointment_changed"
    """The appointment has been changed or cancelled since it was read."""


class Book(Protocol):
    """Appointments, refills and results of one clinic.

    Calls share one book and each runs on its own event loop in its own thread, so a book must be safe to use from several
    loops at once. Any method may be slow, and raises RecordsUnavailable if the system behind it does not answer. If a method
    raises or is cancelled, it may or may not have taken effect; asking again does no harm.
    """

    async def find_patients(self, who: Identity) -> list[Patient]:
        """Everybody whose record agrees with all that is given. If several do, more is needed to tell them apart."""
        ...

    async def free_slots(self, first: date, last: date, *, doctor: str | None = None) -> list[Slot]:
        """The free slots from day `first` to day `last`, of one doctor or of all, by start. None in the past."""
        ...

    async def appointments(self, patient: Patient, first: date, last: date) -> list[Appointment]:
        """The patient's appointments from day `first` to day `last`, by start."""
        ...

    async def book(self, slot_id: str, patient: Patient | Identity, *, reason: str) -> Appointment | Refusal:
        """Book a slot for a patient, or for somebody new, who becomes one.

        A patient who holds the slot already gets that appointment again, with a new version.
        """
        ...

    async def cancel(self, appointment: Appointment) -> Appointment | Refusal:
        """Cancel an appointment, which frees its slot. Returns what was cancelled."""
        ...

    async def move(self, appointment: Appointment, slot_id: str) -> Appointment | Refusal:
        """Move an appointment to another slot, at once or not at all. It keeps its id and frees its old slot."""
        ...

    async def request_refill(self, patient: Patient, medication: str) -> RefillStatus:
        """Ask for a refill.

        "sent" if somebody will see to it, "needs_doctor" if a doctor must see the patient first, "not_found" if there is no
        such prescription.
        """
        ...

    async def find_result(self, patient: Patient, test: str) -> ResultStatus | None:
        """What can be said about a test result of the patient's; None if there was no such test."""
        ...

    async def snapshot(self) -> dict[str, Any]:
        """What the book holds, ready for JSON: lists named `appointments`, `cancelled` and `refills`, and whatever else helps.

        For the operator's page, and for checking what a call achieved.
        """
        ...
