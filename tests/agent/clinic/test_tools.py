"""The front desk's tools: what the model writes, and what it reads back."""

import json
import random
import string
from datetime import datetime
from typing import Any

import pytest

from agent.clinic.clinic import Clinic
from agent.clinic.demo_book import demo_clinic
from agent.clinic.facts import ClinicFacts
from agent.clinic.tools import TOOL_SPECS, call_tool
from agent.settings import ROOT

pytestmark = pytest.mark.unit

TRAINED = ROOT / "models" / "demo" / "language_model" / "prompts" / "tools.json"


async def call(clinic: Clinic, tool: str, /, **arguments: Any) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(await call_tool(clinic, tool, json.dumps(arguments)))
    return result


async def book(clinic: Clinic, **changes: str) -> dict[str, Any]:
    arguments = {"name": "anna smith", "doctor": "chen", "day": "tuesday", "time": "ten thirty", "reason": "visit"}
    return await call(clinic, "book_appointment", **arguments | changes)


def test_the_specs_are_those_the_demo_model_learned_byte_for_byte() -> None:
    specs = [
        {"type": "function", "function": {"name": s.name, "description": s.description, "parameters": s.parameters}}
        for s in TOOL_SPECS
    ]
    assert json.dumps(specs) == json.dumps(json.loads(TRAINED.read_text()))


async def test_two_free_times_of_the_doctor_are_offered(clinic: Clinic) -> None:
    assert await call(clinic, "check_availability", day="tuesday", doctor="chen") == {
        "status": "ok",
        "times": ["nine", "twelve"],
    }


@pytest.mark.parametrize("doctor", ["any", "", "Any", "Chen", "doctor chen", "Dr. Chen"])
async def test_a_doctor_is_recognized_however_they_are_written(clinic: Clinic, doctor: str) -> None:
    found = await call(clinic, "check_availability", day="tuesday", doctor=doctor)
    assert found["status"] == "ok"


async def test_the_part_of_the_day_is_respected(clinic: Clinic) -> None:
    found = await call(clinic, "check_availability", day="tuesday afternoon", doctor="chen")
    assert found == {"status": "ok", "times": ["twelve", "twelve thirty"]}


async def test_an_unknown_doctor_is_reported(clinic: Clinic) -> None:
    assert await call(clinic, "check_availability", day="tuesday", doctor="rossi") == {"status": "unknown_doctor"}
    assert await book(clinic, doctor="rossi") == {"status": "unknown_doctor"}


@pytest.mark.parametrize("day", ["sunday", "yesterday", "blue", "", "2020-01-01"])
async def test_for_a_day_without_slots_the_next_two_are_offered(clinic: Clinic, day: str) -> None:
    for found in (await call(clinic, "check_availability", day=day, doctor="chen"), await book(clinic, day=day)):
        assert found["status"] == "none"
        assert len(found["next"]) == 2
        assert all(" at " in offer for offer in found["next"])


async def test_an_offer_can_be_booked_in_the_words_of_the_offer(clinic: Clinic) -> None:
    for offer in (await call(clinic, "check_availability", day="sunday", doctor="garcia"))["next"]:
        day, _, time = offer.partition(" at ")
        assert await book(clinic, doctor="garcia", day=day, time=time) == {"status": "booked"}
    for time in (await call(clinic, "check_availability", day="friday", doctor="any"))["times"]:
        assert await book(clinic, doctor="any", day="friday", time=time) == {"status": "booked"}


async def test_a_booking_is_in_the_book(clinic: Clinic) -> None:
    assert await book(clinic, reason="flu shot") == {"status": "booked"}
    entry = next(each for each in (await clinic.book.snapshot())["appointments"] if each["name"] == "Anna Smith")
    assert (entry["doctor"], entry["date"], entry["time"]) == ("Chen", "2026-11-24", "ten thirty")
    assert (entry["day"], entry["reason"]) == ("tuesday", "flu shot")


async def test_asking_again_confirms_the_booking(clinic: Clinic) -> None:
    for name, doctor in (("anna smith", "chen"), ("Anna  Smith", "any")):
        assert await book(clinic, name=name, doctor=doctor) == {"status": "booked"}
    entries = [each for each in (await clinic.book.snapshot())["appointments"] if each["name"] == "Anna Smith"]
    assert [(entry["doctor"], entry["confirmations"]) for entry in entries] == [("Chen", 2)]


@pytest.mark.parametrize(
    ("time", "offered"),
    [
        ("eleven thirty", ["eleven", "twelve"]),  # held by a demo patient
        ("three", ["two thirty", "three thirty"]),  # held by strangers
        ("ten fifteen", ["nine thirty", "ten thirty"]),  # between two slots
        ("eight p m", ["four thirty", "five"]),  # after hours
        ("blue", ["nine", "twelve"]),
    ],
)
async def test_for_an_unavailable_time_the_nearest_are_offered(clinic: Clinic, time: str, offered: list[str]) -> None:
    assert await book(clinic, time=time) == {"status": "taken", "times": offered}


async def test_a_booking_needs_a_name(clinic: Clinic) -> None:
    assert await book(clinic, name=" ") == {"status": "error"}


async def test_only_the_right_name_and_day_cancel(clinic: Clinic) -> None:
    assert await call(clinic, "cancel_appointment", name="anna smith", day="friday") == {"status": "not_found"}
    assert await call(clinic, "cancel_appointment", name="emily taylor", day="monday") == {"status": "not_found"}
    assert await call(clinic, "cancel_appointment", name="emily taylor", day="friday") == {"status": "cancelled"}
    assert await call(clinic, "cancel_appointment", name="emily taylor", day="friday") == {"status": "not_found"}


async def move(clinic: Clinic, name: str, to_day: str) -> dict[str, Any]:
    return await call(clinic, "reschedule_appointment", name=name, from_day="thursday", to_day=to_day)


async def test_an_appointment_moves_to_the_nearest_time(clinic: Clinic) -> None:
    assert await move(clinic, "james wilson", "friday") == {"status": "moved", "time": "three"}
    assert await move(clinic, "james wilson", "friday") == {"status": "not_found"}
    assert await move(clinic, "anna smith", "friday") == {"status": "not_found"}


@pytest.mark.parametrize(("to_day", "days"), [("sunday", ["monday", "next tuesday"]), ("blue", ["today", "tuesday"])])
async def test_a_move_to_a_day_without_slots_names_two_others(clinic: Clinic, to_day: str, days: list[str]) -> None:
    assert await move(clinic, "james wilson", to_day) == {"status": "full", "days": days}


@pytest.mark.parametrize(
    ("name", "medication", "status"),
    [
        ("david miller", "ibuprofen", "sent"),
        ("David  Miller", "Ibuprofen", "sent"),
        ("linda brown", "warfarin", "needs_doctor"),
        ("david miller", "insulin", "not_found"),
        ("nobody", "ibuprofen", "not_found"),
    ],
)
async def test_refills(clinic: Clinic, name: str, medication: str, status: str) -> None:
    assert await call(clinic, "request_refill", name=name, medication=medication) == {"status": status}
    expected = [{"name": "David Miller", "medication": "ibuprofen"}] if status == "sent" else []
    assert (await clinic.book.snapshot())["refills"] == expected


@pytest.mark.parametrize(
    ("name", "test", "result"),
    [
        ("anna smith", "blood test", {"status": "ready"}),
        ("peter clark", "x ray", {"status": "pending", "expected": "friday"}),
        ("peter clark", "blood test", {"status": "not_found"}),
    ],
)
async def test_results(clinic: Clinic, name: str, test: str, result: dict[str, str]) -> None:
    assert await call(clinic, "check_results", name=name, test=test) == result


async def test_a_transfer_answers_what_the_facts_say(clinic: Clinic, facts: ClinicFacts) -> None:
    assert await call(clinic, "transfer_to_human", reason="nurse") == {"status": "nobody_free"}
    other = demo_clinic(facts.model_copy(update={"transfer": "transferring"}))
    assert await call(other, "transfer_to_human", reason="nurse") == {"status": "transferring"}


async def test_the_call_ends(clinic: Clinic) -> None:
    assert await call_tool(clinic, "end_call", "") == '{"status": "ended"}'


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("no_such_tool", "{}"), ("check_availability", "{"), ("check_availability", "[1]"), ("book_appointment", "{}")],
)
async def test_nonsense_is_an_error_the_model_knows(clinic: Clinic, name: str, arguments: str) -> None:
    assert await call_tool(clinic, name, arguments) == '{"status": "error"}'


@pytest.mark.parametrize(
    "day",
    ["9999-12-30", "9999-12-31", "0001-01-01", "in 99999999999 days", "in 999999 weeks", "9" * 5000, "9" * 5000 + "th"],
)
async def test_absurd_days_are_answered(clinic: Clinic, day: str) -> None:
    assert (await call(clinic, "check_availability", day=day, doctor="chen"))["status"] in ("ok", "none")
    assert (await book(clinic, day=day, time="blue"))["status"] in ("taken", "none")
    assert (await move(clinic, "james wilson", day))["status"] in ("moved", "full")


async def test_no_argument_makes_a_tool_raise(facts: ClinicFacts) -> None:
    rng = random.Random(5)
    clinic = demo_clinic(facts, now=lambda: datetime(2026, 12, 31, 17, 59))
    words = [
        "next",
        "the",
        "third",
        "of",
        "may",
        "half",
        "past",
        "to",
        "noon",
        "ten",
        "99",
        "-1",
        "0",
        "march",
        "tuesday",
        "in",
        "weeks",
    ]
    words += ["".join(rng.choices(string.printable, k=4)) for _ in range(20)]
    for _ in range(2000):
        spec = rng.choice(TOOL_SPECS)
        values: list[Any] = [" ".join(rng.choices(words, k=rng.randint(0, 4))), None, 7, ["x"], {"a": 1}]
        arguments = {key: rng.choices(values, weights=[20, 1, 1, 1, 1])[0] for key in spec.parameters["properties"]}
        assert "status" in json.loads(await call_tool(clinic, spec.name, json.dumps(arguments)))
