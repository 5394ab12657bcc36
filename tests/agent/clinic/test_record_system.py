"""The front desk's tools on a record system that is less obliging than the demo's."""

import asyncio
import json
from typing import Any

import pytest

from agent.clinic.book import Appointment, Identity, Patient, Refusal, ResultStatus
from agent.clinic.clinic import Clinic
from agent.clinic.demo_book import DemoBook
from agent.clinic.facts import ClinicFacts
from agent.clinic.tools import MAX_TOOL_S, call_tool
from agent.errors import RecordsUnavailable
from tests.agent.clinic.conftest import MONDAY
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit


async def call(clinic: Clinic, tool: str, /, **arguments: Any) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(await call_tool(clinic, tool, json.dumps(arguments)))
    return result


async def book(clinic: Clinic, **changes: str) -> dict[str, Any]:
    arguments = {"name": "anna smith", "doctor": "chen", "day": "tuesday", "time": "ten thirty", "reason": "visit"}
    return await call(clinic, "book_appointment", **arguments | changes)


class OddBook(DemoBook):
    """A book that answers as the demo's never does."""

    def __init__(self, facts: ClinicFacts) -> None:
        super().__init__(facts, now=lambda: MONDAY)
        self.beaten_at: set[str] = set()
        self.is_slow = False

    async def book(self, slot_id: str, patient: Patient | Identity, *, reason: str) -> Appointment | Refusal:
        if slot_id.partition("@")[0] in self.beaten_at:
            return Refusal.SLOT_TAKEN
        return await super().book(slot_id, patient, reason=reason)

    async def find_patients(self, who: Identity) -> list[Patient]:
        if who.name == "two people":
            return [Patient(id=key, name=who.name) for key in ("a", "b")]
        return await super().find_patients(who)

    async def find_result(self, patient: Patient, test: str) -> ResultStatus | None:
        return ResultStatus(is_ready=False)

    async def request_refill(self, patient: Patient, medication: str) -> Any:
        if self.is_slow:
            await asyncio.sleep(3600)
        raise RecordsUnavailable("The record system is down.")


@pytest.fixture
def odd_book(facts: ClinicFacts) -> OddBook:
    return OddBook(facts)


@pytest.fixture
def odd_clinic(facts: ClinicFacts, odd_book: OddBook) -> Clinic:
    return Clinic(facts, odd_book, lambda: MONDAY)


async def test_a_caller_beaten_to_a_slot_gets_another_doctor_or_another_time(
    odd_clinic: Clinic, odd_book: OddBook
) -> None:
    odd_book.beaten_at = {"Chen"}
    assert (await book(odd_clinic, doctor="chen"))["status"] == "taken"
    assert await book(odd_clinic, doctor="any") == {"status": "booked"}
    entries = (await odd_book.snapshot())["appointments"]
    assert [entry["doctor"] for entry in entries if entry["name"] == "Anna Smith"] == ["Garcia"]


async def test_two_patients_of_one_name_are_not_taken_for_each_other(odd_clinic: Clinic) -> None:
    name = "two people"
    assert await call(odd_clinic, "check_results", name=name, test="x ray") == {"status": "not_found"}
    assert await call(odd_clinic, "cancel_appointment", name=name, day="tuesday") == {"status": "not_found"}
    assert await book(odd_clinic, name=name) == {"status": "error"}


async def test_a_pending_result_may_have_no_date(odd_clinic: Clinic) -> None:
    assert await call(odd_clinic, "check_results", name="anna smith", test="x ray") == {"status": "pending"}


async def test_a_record_system_that_is_down_is_an_error_the_model_knows(odd_clinic: Clinic) -> None:
    assert await call(odd_clinic, "request_refill", name="anna smith", medication="x") == {"status": "error"}


@in_virtual_time
async def test_a_record_system_that_hangs_times_out(facts: ClinicFacts) -> None:
    slow = OddBook(facts)
    slow.is_slow = True
    loop, began = asyncio.get_running_loop(), asyncio.get_running_loop().time()
    clinic = Clinic(facts, slow, lambda: MONDAY)
    assert await call(clinic, "request_refill", name="anna smith", medication="x") == {"status": "error"}
    assert loop.time() - began == pytest.approx(MAX_TOOL_S)
