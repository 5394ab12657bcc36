"""The front desk's tools: words in, words out, as the language model reads and writes them.

The specs are byte-stable and in fixed order, so that a prompt that lists them always has the same prefix. Results are
small JSON objects with a `status`; days and times in them are words, so that the model can say them as they are.
"""

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from agent.clinic.book import Appointment, Clinic
from agent.clinic.days import SpokenDay
from agent.clinic.facts import Doctor
from agent.clinic.times import say_time
from serving.chat import ToolSpec

Arguments = Mapping[str, str]
Result = dict[str, Any]

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
    _spec("end_call", "hang up after goodbye"),
)


def call_tool(clinic: Clinic, name: str, arguments_json: str) -> str:
    """Runs a tool and returns its result as JSON text. Never raises: what cannot be understood is `{"status": "error"}`."""
    run = _TOOLS.get(name)
    arguments = _read(arguments_json)
    if run is None or arguments is None:
        return json.dumps({"status": "error"})
    return json.dumps(run(clinic, arguments))


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


def _check_availability(clinic: Clinic, arguments: Arguments) -> Result:
    known, doctor = _doctor(clinic, arguments["doctor"])
    if not known:
        return {"status": "unknown_doctor"}
    day = clinic.hears_day(arguments["day"])
    slots = [slot for slot in clinic.free_slots(day.date, doctor) if _in_part(slot, day)] if day else []
    if len(slots) >= 2:
        return {"status": "ok", "times": _offer(slots)}
    return _next_free(clinic, day, doctor)


def _book_appointment(clinic: Clinic, arguments: Arguments) -> Result:
    known, doctor = _doctor(clinic, arguments["doctor"])
    if not known:
        return {"status": "unknown_doctor"}
    day = clinic.hears_day(arguments["day"])
    if not arguments["name"]:
        return {"status": "error"}
    start = clinic.hears_time(arguments["time"], day) if day else None
    reason = arguments["reason"] or "visit"
    if start and clinic.book(_titled(arguments["name"]), start, doctor=doctor, reason=reason):
        return {"status": "booked"}
    slots = clinic.free_slots(day.date, doctor) if day else []
    if len(slots) < 2:
        return _next_free(clinic, day, doctor)
    return {"status": "taken", "times": _offer(slots, near=start)}


def _cancel_appointment(clinic: Clinic, arguments: Arguments) -> Result:
    entry = _find(clinic, arguments["name"], arguments["day"])
    return {"status": "cancelled" if entry and clinic.cancel(entry) else "not_found"}


def _reschedule_appointment(clinic: Clinic, arguments: Arguments) -> Result:
    entry = _find(clinic, arguments["name"], arguments["from_day"])
    if entry is None:
        return {"status": "not_found"}
    doctor, to_day = clinic.doctor(entry.doctor), clinic.hears_day(arguments["to_day"])
    slots = [slot for slot in clinic.free_slots(to_day.date, doctor) if _in_part(slot, to_day)] if to_day else []
    if to_day and slots:
        wanted = datetime.combine(to_day.date, entry.start.time())
        moved = clinic.move(entry, min(slots, key=lambda slot: abs(slot - wanted)))
        if moved:
            return {"status": "moved", "time": say_time(moved.start.time())}
    days = clinic.days_with_slots(to_day.date if to_day else clinic.today, doctor)
    return {"status": "full", "days": [clinic.says_day(day) for day in days if not to_day or day != to_day.date][:2]}


def _request_refill(clinic: Clinic, arguments: Arguments) -> Result:
    return {"status": clinic.request_refill(arguments["name"], arguments["medication"])}


def _check_results(clinic: Clinic, arguments: Arguments) -> Result:
    found = clinic.result(arguments["name"], arguments["test"])
    if isinstance(found, date):
        return {"status": "pending", "expected": clinic.says_day(found)}
    return {"status": found or "not_found"}


def _transfer_to_human(clinic: Clinic, _arguments: Arguments) -> Result:
    """A stub: nobody is rung. What it answers is `transfer` in configs/clinic.yaml."""
    return {"status": clinic.facts.transfer}


def _end_call(_clinic: Clinic, _arguments: Arguments) -> Result:
    return {"status": "ended"}


_TOOLS: dict[str, Callable[[Clinic, Arguments], Result]] = {
    "check_availability": _check_availability,
    "book_appointment": _book_appointment,
    "cancel_appointment": _cancel_appointment,
    "reschedule_appointment": _reschedule_appointment,
    "request_refill": _request_refill,
    "check_results": _check_results,
    "transfer_to_human": _transfer_to_human,
    "end_call": _end_call,
}


def _doctor(clinic: Clinic, text: str) -> tuple[bool, Doctor | None]:
    """Whether the doctor is known, and who; None means any."""
    name = " ".join(word for word in text.casefold().replace(".", " ").split() if word not in ("doctor", "dr"))
    if name in _ANY_DOCTOR:
        return True, None
    doctor = clinic.doctor(name)
    return doctor is not None, doctor


def _find(clinic: Clinic, name: str, day: str) -> Appointment | None:
    spoken = clinic.hears_day(day)
    return clinic.find(name, spoken.date) if spoken else None


def _in_part(slot: datetime, day: SpokenDay) -> bool:
    """Whether the slot is in the part of the day that was asked for."""
    return day.part is None or (slot.hour < 12) == (day.part == "morning")


def _offer(slots: list[datetime], *, near: datetime | None = None) -> list[str]:
    """Two times: the nearest to the one asked for, else one early and one late."""
    if near:
        pair = sorted(sorted(slots, key=lambda slot: abs(slot - near))[:2])
    else:
        afternoon = [slot for slot in slots[1:] if slot.hour >= 12] if slots[0].hour < 12 else []
        pair = [slots[0], (afternoon or slots[1:])[0]]
    return [say_time(slot.time()) for slot in pair]


def _next_free(clinic: Clinic, day: SpokenDay | None, doctor: Doctor | None) -> Result:
    """One slot on each of the next two days that have any, the day asked for included: an early and a late one."""
    start = max(day.date, clinic.today) if day else clinic.today
    days = [clinic.free_slots(each, doctor) for each in clinic.days_with_slots(start, doctor)[:2]]
    slots = [
        next((slot for slot in free if slot.hour >= 12), free[-1]) if i else free[0] for i, free in enumerate(days)
    ]
    return {"status": "none", "next": [f"{clinic.says_day(slot.date())} at {say_time(slot.time())}" for slot in slots]}


def _titled(name: str) -> str:
    """'anna smith' becomes 'Anna Smith'; a name with capitals stays as it is."""
    return name.title() if name.islower() else name
