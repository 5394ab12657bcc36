"""The front desk's tools: words in, words out, as the language model reads and writes them.

The specs are byte-stable and in fixed order, so that a prompt that lists them always has the same prefix. Results are
small JSON objects with a `status`; days and times in them are words, so that the model can say them as they are.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from agent.clinic.book import Appointment, Identity, Patient
from agent.clinic.clinic import Clinic
from agent.clinic.offers import free_times, is_in_part, next_free_days, say_next, say_two
from agent.clinic.times import say_time
from agent.errors import RecordsUnavailable
from serving.chat import ToolSpec

logger = logging.getLogger("callbox.call")

Arguments = Mapping[str, str]
Result = dict[str, Any]

END_CALL = "end_call"
"""The tool with which the language model ends a call."""
MAX_TOOL_S = 6.0
"""A tool that takes longer has failed: the caller is waiting in silence."""
_ANY_DOCTOR = {"", "any", "anyone", "anybody", "any doctor", "whoever", "no preference", "unknown", "none"}


def _spec(name: str, description: str, /, **parameters: str) -> ToolSpec:
    properties = {key: {"type": "string", "description": text} for key, text in parameters.items()}
    return ToolSpec(name, description, {"type": "object", "properties": properties, "required": list(parameters)})


TOOL_SPECS: tuple[ToolSpec, ...] = (
    _spec(
        "check_availability",
        "find free times",
        day="day as the caller said it",
        doctor="doctor's last name, or any",
    ),
    _spec(
        "book_appointment",
        "book a confirmed appointment",
        name="caller's full name",
        doctor="doctor's last name, or any",
        day="day as the caller said it",
        time="time as the caller said it",
        reason="reason for the visit, or visit",
    ),
    _spec("cancel_appointment", "cancel an appointment", name="caller's full name", day="day of the appointment"),
    _spec(
        "reschedule_appointment",
        "move an appointment",
        name="caller's full name",
        from_day="present day",
        to_day="new day",
    ),
    _spec("request_refill", "ask for a refill", name="caller's full name", medication="name of the medication"),
    _spec("check_results", "look up test results", name="caller's full name", test="kind of test"),
    _spec("transfer_to_human", "put the caller through to a colleague", reason="why, in a few words"),
    _spec(END_CALL, "hang up after goodbye"),
)


async def call_tool(clinic: Clinic, name: str, arguments_json: str) -> str:
    """Run a tool; its result as JSON text.

    `{"status": "error"}` if the call makes no sense, or if the record system does not answer within MAX_TOOL_S.
    """
    run = _TOOLS.get(name)
    arguments = _read(arguments_json)
    if run is None or arguments is None:
        return json.dumps({"status": "error"})
    try:
        async with asyncio.timeout(MAX_TOOL_S):
            return json.dumps(await run(clinic, arguments))
    except (TimeoutError, RecordsUnavailable) as error:
        logger.warning("The record system did not answer %s: %s", name, type(error).__name__)
        return json.dumps({"status": "error"})


def _read(arguments_json: str) -> Arguments | None:
    """The arguments as text; a missing one reads as empty."""
    try:
        found = json.loads(arguments_json or "{}")
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    return _Texts({key: " ".join(str(value).split()) for key, value in found.items() if value is not None})


class _Texts(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


async def _check_availability(clinic: Clinic, arguments: Arguments) -> Result:
    known, doctor = _doctor(clinic, arguments["doctor"])
    if not known:
        return {"status": "unknown_doctor"}
    day = clinic.parse_day(arguments["day"])
    times = await free_times(clinic, day.date, day.date, doctor) if day else []
    times = [time for time in times if day and is_in_part(time, day)]
    if len(times) >= 2:
        return {"status": "ok", "times": say_two(times)}
    return {"status": "none", "next": await say_next(clinic, day, doctor)}


async def _book_appointment(clinic: Clinic, arguments: Arguments) -> Result:
    known, doctor = _doctor(clinic, arguments["doctor"])
    if not known:
        return {"status": "unknown_doctor"}
    name, day = arguments["name"], clinic.parse_day(arguments["day"])
    patients = await clinic.book.find_patients(Identity(name=name))
    if not name or len(patients) > 1:
        return {"status": "error"}
    who = patients[0] if patients else Identity(name=_titled(name))
    start = clinic.facts.parse_start(arguments["time"], day) if day else None
    if start and await _book(clinic, who, start, doctor, arguments["reason"] or "visit"):
        return {"status": "booked"}
    times = await free_times(clinic, day.date, day.date, doctor) if day else []
    if len(times) < 2:
        return {"status": "none", "next": await say_next(clinic, day, doctor)}
    return {"status": "taken", "times": say_two(times, near=start)}


async def _cancel_appointment(clinic: Clinic, arguments: Arguments) -> Result:
    found = await _find(clinic, arguments["name"], arguments["day"])
    cancelled = isinstance(await clinic.book.cancel(found), Appointment) if found else False
    return {"status": "cancelled" if cancelled else "not_found"}


async def _reschedule_appointment(clinic: Clinic, arguments: Arguments) -> Result:
    found = await _find(clinic, arguments["name"], arguments["from_day"])
    if found is None:
        return {"status": "not_found"}
    doctor, to_day = found.slot.doctor, clinic.parse_day(arguments["to_day"])
    if to_day:
        slots = await clinic.book.free_slots(to_day.date, to_day.date, doctor=doctor)
        wanted = datetime.combine(to_day.date, found.slot.start.time())
        possible = (slot for slot in slots if is_in_part(slot.start, to_day))
        near = min(possible, key=lambda slot: abs(slot.start - wanted), default=None)
        moved = await clinic.book.move(found, near.id) if near else None
        if isinstance(moved, Appointment):
            return {"status": "moved", "time": say_time(moved.slot.start.time())}
    first, other_than = (to_day.date, to_day.date) if to_day else (clinic.today, None)
    days = await next_free_days(clinic, first, doctor, other_than=other_than)
    return {"status": "full", "days": [clinic.say_day(times[0].date()) for times in days]}


async def _request_refill(clinic: Clinic, arguments: Arguments) -> Result:
    patient = await _patient(clinic, arguments["name"])
    return {"status": await clinic.book.request_refill(patient, arguments["medication"]) if patient else "not_found"}


async def _check_results(clinic: Clinic, arguments: Arguments) -> Result:
    patient = await _patient(clinic, arguments["name"])
    found = await clinic.book.find_result(patient, arguments["test"]) if patient else None
    if found is None:
        return {"status": "not_found"}
    if found.is_ready:
        return {"status": "ready"}
    return {"status": "pending"} | ({"expected": clinic.say_day(found.expected)} if found.expected else {})


async def _transfer_to_human(clinic: Clinic, _arguments: Arguments) -> Result:
    """Rings nobody: answers what configs/clinic.yaml says under `transfer`."""
    return {"status": clinic.facts.transfer}


async def _end_call(_clinic: Clinic, _arguments: Arguments) -> Result:
    return {"status": "ended"}


_TOOLS: dict[str, Callable[[Clinic, Arguments], Awaitable[Result]]] = {
    "check_availability": _check_availability,
    "book_appointment": _book_appointment,
    "cancel_appointment": _cancel_appointment,
    "reschedule_appointment": _reschedule_appointment,
    "request_refill": _request_refill,
    "check_results": _check_results,
    "transfer_to_human": _transfer_to_human,
    END_CALL: _end_call,
}


def _doctor(clinic: Clinic, text: str) -> tuple[bool, str | None]:
    """Whether the doctor is known, and their name; None means any."""
    name = " ".join(word for word in text.casefold().replace(".", " ").split() if word not in ("doctor", "dr"))
    if name in _ANY_DOCTOR:
        return True, None
    doctor = clinic.facts.doctor(name)
    return (True, doctor.name) if doctor else (False, None)


async def _patient(clinic: Clinic, name: str) -> Patient | None:
    """The patient of that name; None if nobody or more than one has it."""
    patients = await clinic.book.find_patients(Identity(name=name))
    return patients[0] if len(patients) == 1 else None


async def _find(clinic: Clinic, name: str, day: str) -> Appointment | None:
    """The patient's first appointment on a day."""
    spoken, patient = clinic.parse_day(day), await _patient(clinic, name)
    if spoken is None or patient is None:
        return None
    return next(iter(await clinic.book.appointments(patient, spoken.date, spoken.date)), None)


async def _book(clinic: Clinic, who: Patient | Identity, start: datetime, doctor: str | None, reason: str) -> bool:
    """Book a slot at that time with whoever is free, unless the patient already has one. Returns whether they have one now."""
    day, held = start.date(), []
    if isinstance(who, Patient):
        held = [each.slot for each in await clinic.book.appointments(who, day, day)]
    theirs = [slot for slot in held if slot.start == start and doctor in (None, slot.doctor)]
    for slot in theirs or await clinic.book.free_slots(day, day, doctor=doctor):
        if slot.start == start:
            booked = await clinic.book.book(slot.id, who, reason=reason)
            if isinstance(booked, Appointment):
                return True
    return False


def _titled(name: str) -> str:
    """'anna smith' becomes 'Anna Smith'; a name with capitals stays as it is."""
    return name.title() if name.islower() else name
