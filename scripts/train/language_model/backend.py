"""The clinic's systems in a simulated call."""

from collections.abc import Callable
from typing import Any

from scripts.train.language_model.domain import Facts, Lex, doctors_of

Result = dict[str, Any]
"""`status`, and its details."""

FAILURES = 0.04


class Backend:
    """Answers tool calls at random, as a real clinic's calendar would."""

    def __init__(self, lex: Lex, facts: Facts) -> None:
        self._lex = lex
        self._doctors = doctors_of(facts)

    def call(self, name: str, arguments: dict[str, str]) -> Result:
        """The result of one tool call."""
        draw = self._lex.rng.random()
        if draw > 1 - FAILURES and name not in ("end_call", "transfer_to_human"):
            return {"status": "error"}
        doctor = arguments.get("doctor", "any")
        if name in ("check_availability", "book_appointment") and doctor != "any" and doctor not in self._doctors:
            return {"status": "unknown_doctor"}
        answers: dict[str, Callable[[float], Result]] = {
            "check_availability": self._availability,
            "book_appointment": self._booking,
            "cancel_appointment": _cancellation,
            "reschedule_appointment": self._move,
            "request_refill": _refill,
            "check_results": self._results,
            "transfer_to_human": _transfer,
        }
        return answers[name](draw) if name in answers else {"status": "ended"}

    def _availability(self, draw: float) -> Result:
        if draw < 0.72:
            return {"status": "ok", "times": self._two(self._lex.slot)}
        return {"status": "none", "next": self._two(lambda: f"{self._day()} at {self._lex.slot()}")}

    def _booking(self, draw: float) -> Result:
        return {"status": "booked"} if draw < 0.78 else {"status": "taken", "times": self._two(self._lex.slot)}

    def _move(self, draw: float) -> Result:
        if draw < 0.66:
            return {"status": "moved", "time": self._lex.slot()}
        return {"status": "full", "days": self._two(self._day)} if draw < 0.84 else {"status": "not_found"}

    def _results(self, draw: float) -> Result:
        if draw < 0.4:
            return {"status": "ready"}
        return {"status": "pending", "expected": self._day()} if draw < 0.76 else {"status": "not_found"}

    def _day(self) -> str:
        return self._lex.word("days")

    def _two(self, draw: Callable[[], str]) -> list[str]:
        """Two different draws."""
        first, second = draw(), draw()
        while second == first:
            second = draw()
        return [first, second]


def _cancellation(draw: float) -> Result:
    return {"status": "cancelled" if draw < 0.75 else "not_found"}


def _refill(draw: float) -> Result:
    if draw < 0.6:
        return {"status": "sent"}
    return {"status": "needs_doctor" if draw < 0.8 else "not_found"}


def _transfer(draw: float) -> Result:
    return {"status": "transferring" if draw < 0.85 else "nobody_free"}
