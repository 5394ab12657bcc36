"""The front desk as LiveKit sees it."""

import json
import time
from typing import Any, cast

import pytest
from livekit.agents import RunContext, StopResponse, llm
from livekit.agents.voice import SpeechHandle

from agent.adapters.front_desk import FrontDesk
from agent.clinic.demo_book import demo_clinic
from agent.clinic.facts import load_facts
from agent.clinic.tools import TOOL_SPECS
from agent.settings import ROOT
from serving import metrics
from tests.virtual_time import WALL_AHEAD_S, in_virtual_time

pytestmark = pytest.mark.unit


class Reply:
    """A stand-in for the run context: only which reply a tool is part of matters."""

    def __init__(self, speech: SpeechHandle) -> None:
        self.speech_handle = speech


class Desk:
    """A front desk, and what it reported."""

    def __init__(self) -> None:
        self.reports: list[tuple[str, str, SpeechHandle]] = []
        self.turns: list[float] = []
        self.clinic = demo_clinic(load_facts(ROOT / "configs" / "clinic.yaml"))
        self.agent = FrontDesk(
            instructions="Be kind.",
            clinic=self.clinic,
            on_tool=lambda name, status, speech: self.reports.append((name, status, speech)),
            on_turn=lambda: self.turns.append(time.time()),
        )

    async def use(self, name: str, /, **arguments: object) -> tuple[dict[str, Any], SpeechHandle]:
        """Call a tool as LiveKit does; its result and the reply it was part of."""
        (tool,) = [tool for tool in self.agent.tools if tool.id == name]
        speech = SpeechHandle.create()
        context = cast(RunContext[Any], Reply(speech))
        result = await cast(llm.RawFunctionTool[Any, Any], tool)(raw_arguments=arguments, context=context)
        return json.loads(result), speech


def test_its_tools_are_the_clinics_in_their_order() -> None:
    assert [tool.id for tool in Desk().agent.tools] == [spec.name for spec in TOOL_SPECS]
    assert Desk().agent.instructions == "Be kind."


@in_virtual_time
async def test_a_tool_does_what_it_says_and_reports_it() -> None:
    desk = Desk()
    result, speech = await desk.use("request_refill", name="James Wilson", medication="metformin")
    assert result == {"status": "sent"}
    assert desk.reports == [("request_refill", "sent", speech)]


@pytest.mark.parametrize("arguments", [{}, {"name": None}, {"name": ["a", "b"]}, {"nobody": "asked"}])
@in_virtual_time
async def test_arguments_that_make_no_sense_are_answered(arguments: dict[str, object]) -> None:
    desk = Desk()
    result, _ = await desk.use("book_appointment", **arguments)
    assert "status" in result
    assert desk.reports[0][1] == result["status"]


@in_virtual_time
async def test_tool_calls_are_counted_by_how_they_ended() -> None:
    def count() -> float:
        labels = {"tool": "request_refill", "status": "sent"}
        return metrics.REGISTRY.get_sample_value("callbox_tool_calls_total", labels) or 0.0

    before = count()
    await Desk().use("request_refill", name="James Wilson", medication="metformin")
    assert count() == before + 1


@in_virtual_time
async def test_a_turn_that_is_over_is_told_with_its_time_and_changed_in_nothing() -> None:
    desk, context = Desk(), llm.ChatContext()
    context.add_message(role="assistant", content="hello")
    message = llm.ChatMessage(role="user", content=["where can i park"])
    before = context.to_dict(), message.model_dump()
    await desk.agent.on_user_turn_completed(context, message)
    assert desk.turns == [pytest.approx(WALL_AHEAD_S + 1_000.0)]
    assert (context.to_dict(), message.model_dump()) == before


@pytest.mark.parametrize("text", ["", "  "])
@in_virtual_time
async def test_a_turn_without_words_is_not_answered(text: str) -> None:
    with pytest.raises(StopResponse):
        await Desk().agent.on_user_turn_completed(llm.ChatContext(), llm.ChatMessage(role="user", content=[text]))
