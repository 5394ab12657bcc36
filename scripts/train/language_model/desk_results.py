"""What the front desk does about each tool's result."""

from collections.abc import Callable

from scripts.train.language_model.backend import Result
from scripts.train.language_model.desk import Desk
from scripts.train.language_model.domain import show_day, title
from scripts.train.language_model.frames import Say
from scripts.train.language_model.replies import capital, fact_answer, on_day

MAX_OFFER_WORDS = 20
"""Longer offers end with the short question."""


def answer(desk: Desk, result: Result) -> Say:
    """The desk's next move after the result of its last call."""
    if result["status"] == "error":
        return desk.ask("retry", "Sorry, the system did not answer.")
    if result["status"] == "unknown_doctor":
        doctor = desk.current.slots.pop("doctor")
        desk.current.checked_day = None
        return desk.ask("doctor", f"I cannot find a Doctor {title(doctor)}. {fact_answer('doctors', desk.facts)}")
    return _RESULTS[desk.last_call.name](desk, result)


def _close(desk: Desk, outcome: str) -> None:
    """End the task with this outcome."""
    desk.current.outcome = outcome
    desk.task = None


def _availability(desk: Desk, result: Result) -> Say:
    day = on_day(desk.last_call.arguments["day"])
    if result["status"] == "ok":
        first, second = result["times"]
        desk.alternatives = [{"time": time} for time in (first, second)]
        return desk.ask("choice", f"{capital(day)} I have {first} or {second}.")
    desk.alternatives = [dict(zip(("day", "time"), place.split(" at "), strict=True)) for place in result["next"]]
    text = f"Nothing is free {day}. I have {' or '.join(show_day(place) for place in result['next'])}."
    if len(text.split()) > MAX_OFFER_WORDS:
        desk.question = "choice"
        return Say(text + " Which one?")
    return desk.ask("choice", text)


def _booking(desk: Desk, result: Result) -> Say:
    booked = desk.last_call.arguments
    if result["status"] == "booked":
        doctor = f"with Doctor {title(booked['doctor'])} " if booked["doctor"] != "any" else ""
        when = f"{on_day(booked['day'])} at {booked['time']}"
        _close(desk, f"The appointment {doctor}is booked {when}")
        return desk.ask("else", f"You are booked {doctor}{when}.")
    first, second = result["times"]
    desk.alternatives = [{"time": time} for time in (first, second)]
    desk.current.outcome = "The time was taken"
    return desk.ask("choice", f"That time is taken. I have {first} or {second}.")


def _cancellation(desk: Desk, result: Result) -> Say:
    day = on_day(desk.last_call.arguments["day"])
    if result["status"] == "cancelled":
        _close(desk, f"The appointment {day} was cancelled")
        return desk.ask("else", f"Your appointment {day} is cancelled.")
    return _not_found(desk, day)


def _not_found(desk: Desk, day: str) -> Say:
    desk.current.outcome = "No appointment was found"
    return desk.ask("other", f"I cannot find an appointment {day}.")


def _move(desk: Desk, result: Result) -> Say:
    days = desk.last_call.arguments
    if result["status"] == "moved":
        when = f"{show_day(days['to_day'])} at {result['time']}"
        _close(desk, f"The appointment was moved to {when}")
        return desk.ask("else", f"Your appointment is moved to {when}.")
    if result["status"] == "full":
        desk.alternatives = [{"to_day": day} for day in result["days"]]
        desk.current.outcome = "The new day was full"
        free = " or ".join(show_day(day) for day in result["days"])
        return desk.ask("choice", f"{capital(show_day(days['to_day']))} is full. I have {free}.")
    return _not_found(desk, on_day(days["from_day"]))


def _refill(desk: Desk, result: Result) -> Say:
    medication = desk.last_call.arguments["medication"]
    if result["status"] == "sent":
        _close(desk, f"The refill request for {medication} was sent")
        return desk.ask("else", f"The refill request for {medication} is sent.")
    if result["status"] == "needs_doctor":
        _close(desk, "A doctor must approve the refill")
        desk.complaint = f"refill of {medication}"
        return desk.ask("appt", f"A doctor must approve {medication} first.")
    _close(desk, "No prescription was found")
    desk.transfer_reason = "no prescription found"
    return desk.ask("transfer", f"I cannot find that prescription for {medication}.")


def _test_results(desk: Desk, result: Result) -> Say:
    test = desk.last_call.arguments["test"]
    if result["status"] == "ready":
        _close(desk, f"The {test} results are ready")
        desk.complaint = f"{test} results"
        return desk.ask("appt", f"Your {test} results are ready. A doctor can explain them.")
    if result["status"] == "pending":
        expected = on_day(result["expected"])
        _close(desk, f"The {test} results are expected {expected}")
        return desk.ask("else", f"Your {test} results are not ready. We expect them {expected}.")
    _close(desk, "No results were found")
    desk.transfer_reason = "no results found"
    return desk.ask("transfer", f"I cannot find any {test} results.")


def _transfer(desk: Desk, result: Result) -> Say:
    if result["status"] == "transferring":
        desk.over = True
        return Say("I am putting you through to a colleague now. Please stay on the line.")
    desk.notes.handed_over = None
    return desk.ask("else", "I am sorry, no colleague is free right now.")


def _end(desk: Desk, result: Result) -> Say:
    desk.over = True
    return Say(f"Thank you for calling {desk.facts['clinic']}. Goodbye.")


_RESULTS: dict[str, Callable[[Desk, Result], Say]] = {
    "check_availability": _availability,
    "book_appointment": _booking,
    "cancel_appointment": _cancellation,
    "reschedule_appointment": _move,
    "request_refill": _refill,
    "check_results": _test_results,
    "transfer_to_human": _transfer,
    "end_call": _end,
}
