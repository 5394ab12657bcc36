"""The front desk as LiveKit sees it."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import pytest
from livekit import rtc
from livekit.agents import ModelSettings, RunContext, StopResponse, llm
from livekit.agents.voice import SpeechHandle
from livekit.agents.voice.agent_activity import _SpeechHandleContextVar

from agent.adapters import front_desk
from agent.adapters.audio import words_of
from agent.adapters.front_desk import FrontDesk, speech_in_progress
from agent.adapters.llm import LocalLlm
from agent.adapters.tts import LocalTts
from agent.call.events import ToolCalled, ToolExchange, ToolReturned, TurnOver
from agent.call.spoken import Spoken
from agent.clinic.clinic import Clinic
from agent.clinic.demo_book import demo_clinic
from agent.clinic.facts import load_facts
from agent.clinic.tools import TOOL_SPECS
from agent.replies.speculation import Replies
from agent.replies.speculation_policy import SpeculationLimits
from agent.settings import ROOT
from serving.chat import Priority
from serving.demand import Demand
from tests.published import Published
from tests.scripted import ScriptedLlm, ScriptedTts, Sounds, tokens
from tests.virtual_time import LOOP_STARTS_AT_S, in_virtual_time

pytestmark = pytest.mark.unit

T = TypeVar("T")


class Desk:
    """A front desk on scripted engines, and the call that it answers."""

    def __init__(self, says: str = "we are open") -> None:
        self.events = Published()
        self.model = ScriptedLlm(lambda request: tokens(says))
        self.voice = ScriptedTts(Sounds())
        self.replies = Replies(
            SpeculationLimits(), Demand(), self.events, lines=4, is_judged=False, interrupt=lambda: None
        )
        self.agent = FrontDesk(
            instructions="Be kind.",
            clinic=demo_clinic(load_facts(ROOT / "configs" / "clinic.yaml")),
            model=LocalLlm(self.model, max_reply_tokens=77, plain_user_text=False, events=self.events),
            voice=LocalTts(self.voice, events=self.events),
            replies=self.replies,
            events=self.events,
        )

    async def use(self, name: str, /, **arguments: object) -> tuple[dict[str, Any], SpeechHandle]:
        """Call a tool as LiveKit does, with call ID "7"; its result, and the reply it was part of."""
        (tool,) = [tool for tool in self.agent.tools if tool.id == name]
        speech = SpeechHandle.create()
        called = llm.FunctionCall(call_id="7", name=name, arguments=json.dumps(arguments))
        context = cast(RunContext[Any], SimpleNamespace(speech_handle=speech, function_call=called))
        result = await cast(llm.RawFunctionTool[Any, Any], tool)(raw_arguments=arguments, context=context)
        return json.loads(result), speech

    async def write(self, *, tool_choice: llm.ToolChoice | None = None) -> str:
        """The text that llm_node yields to LiveKit."""
        context = llm.ChatContext()
        context.add_message(role="user", content="are you open")
        settings = ModelSettings() if tool_choice is None else ModelSettings(tool_choice=tool_choice)
        tools = [tool for tool in self.agent.tools if isinstance(tool, llm.Tool)]
        node = self.agent.llm_node(context, tools, settings)
        return "".join([chunk.delta.content or "" async for chunk in node if chunk.delta])

    async def speak(self, text: str) -> list[rtc.AudioFrame]:
        """The frames that tts_node yields to LiveKit."""
        return [frame async for frame in self.agent.tts_node(pieces(text), ModelSettings())]


async def pieces(text: str) -> AsyncIterator[str]:
    """A text as it comes from the language model."""
    for word in text.split(" "):
        yield f"{word} "


def run_for(speech: SpeechHandle, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
    """Run something as part of a reply, as LiveKit does: in nested tasks started for the reply's speech handle."""

    async def deeper() -> T:
        await asyncio.sleep(0.001)
        return await asyncio.create_task(work)

    token = _SpeechHandleContextVar.set(speech)
    task = asyncio.create_task(deeper())
    _SpeechHandleContextVar.reset(token)
    return task


def spoken(frames: list[rtc.AudioFrame]) -> str:
    """The words that begin in some frames."""
    return " ".join(word.text for frame in frames for word in words_of(frame))


def test_it_has_the_clinics_tools_in_order() -> None:
    assert [tool.id for tool in Desk().agent.tools] == [spec.name for spec in TOOL_SPECS]
    assert Desk().agent.instructions == "Be kind."


# tools


@in_virtual_time
async def test_a_tool_runs_and_is_published_with_its_reply() -> None:
    desk = Desk()
    result, speech = await desk.use("request_refill", name="James Wilson", medication="metformin")
    assert result == {"status": "sent"}
    assert desk.events.payloads == [
        ToolCalled("7", "request_refill"),
        ToolReturned("7", "request_refill", "sent", took_s=0.0, reply_id=speech.id),
        ToolExchange(
            "7",
            "request_refill",
            arguments=Spoken('{"name": "James Wilson", "medication": "metformin"}'),
            result=Spoken('{"status": "sent"}'),
        ),
    ]


@in_virtual_time
async def test_a_tool_is_published_when_it_is_called_and_when_it_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow_tool(clinic: Clinic, name: str, arguments: str) -> str:
        await asyncio.sleep(0.7)
        return '{"slots": []}'

    monkeypatch.setattr(front_desk, "call_tool", slow_tool)
    desk = Desk()
    using = asyncio.create_task(desk.use("check_availability"))
    await asyncio.sleep(0.3)
    assert desk.events.payloads == [ToolCalled("7", "check_availability")]
    _, speech = await using
    (returned,) = desk.events.of(ToolReturned)
    assert (returned.status, returned.reply_id) == ("ok", speech.id)  # its result has no status
    assert returned.took_s == pytest.approx(0.7)


@pytest.mark.parametrize("arguments", [{}, {"name": None}, {"name": ["a", "b"]}, {"nobody": "asked"}])
@in_virtual_time
async def test_senseless_arguments_get_an_answer(arguments: dict[str, object]) -> None:
    desk = Desk()
    result, _ = await desk.use("book_appointment", **arguments)
    assert "status" in result
    (returned,) = desk.events.of(ToolReturned)
    assert returned.status == result["status"]


# turns


@in_virtual_time
async def test_the_end_of_a_turn_is_published_at_once_and_leaves_the_context_alone() -> None:
    desk, context = Desk(), llm.ChatContext()
    context.add_message(role="assistant", content="hello")
    message = llm.ChatMessage(role="user", content=["where can i park"])
    before = context.to_dict(), message.model_dump()
    await desk.agent.on_user_turn_completed(context, message)
    assert desk.events.payloads == [TurnOver()]
    assert asyncio.get_running_loop().time() == LOOP_STARTS_AT_S
    assert (context.to_dict(), message.model_dump()) == before


@pytest.mark.parametrize("text", ["", "  "])
@in_virtual_time
async def test_a_turn_without_words_is_not_answered(text: str) -> None:
    desk = Desk()
    with pytest.raises(StopResponse):
        await desk.agent.on_user_turn_completed(llm.ChatContext(), llm.ChatMessage(role="user", content=[text]))
    assert desk.events.payloads == [TurnOver()]


# replies


@in_virtual_time
async def test_the_speech_in_progress_is_the_one_livekit_runs_the_task_for() -> None:
    async def in_progress() -> SpeechHandle | None:
        return speech_in_progress()

    first, second = SpeechHandle.create(), SpeechHandle.create()
    tasks = [run_for(speech, in_progress()) for speech in (first, second)]
    assert await asyncio.gather(*tasks) == [first, second]
    assert speech_in_progress() is None


@in_virtual_time
async def test_the_language_model_works_on_the_reply_of_the_speech_in_progress() -> None:
    desk = Desk()
    first, second = SpeechHandle.create(), SpeechHandle.create()
    ahead = desk.replies.announce(first, is_awaited=True)
    writing = run_for(first, desk.write())
    await asyncio.sleep(0.05)
    confirmed = desk.replies.announce(second, is_awaited=True)
    second._mark_scheduled()
    assert await run_for(second, desk.write()) == "we are open"
    assert await writing == "we are open"
    asked_ahead, asked = (reply.request for reply in desk.model.replies)
    assert (asked_ahead.priority, asked_ahead.confirmed) == (Priority.SPECULATIVE, ahead.turn_over)
    assert asked_ahead.tokens_ahead == ahead.tokens_ahead == SpeculationLimits().max_tokens_ahead
    assert (asked.priority, asked.confirmed) == (Priority.CONFIRMED, None)
    assert (ahead.tokens, confirmed.tokens) == (3, 3)


@in_virtual_time
async def test_a_reply_that_was_put_off_is_not_requested_before_its_turn_is_over() -> None:
    desk = Desk()
    speech = SpeechHandle.create()
    desk.replies.demand.wait(object())  # another caller, whose turn is over
    await asyncio.sleep(1.0)
    desk.replies.announce(speech, is_awaited=True)
    writing = run_for(speech, desk.write())
    await asyncio.sleep(1.0)
    assert desk.model.replies == []
    desk.events.publish(TurnOver())
    speech._mark_scheduled()
    assert await writing == "we are open"


@in_virtual_time
async def test_the_tts_works_on_the_reply_of_the_speech_in_progress() -> None:
    desk = Desk()
    first, second = SpeechHandle.create(), SpeechHandle.create()
    confirmed = desk.replies.announce(second, is_awaited=True)
    second._mark_scheduled()
    ahead = desk.replies.announce(first, is_awaited=True)
    text = "yes, we are open all day. come and see us whenever you like."
    speaking = run_for(first, desk.speak(text))
    assert spoken(await run_for(second, desk.speak(text))) == text
    await asyncio.sleep(5.0)
    assert not speaking.done()
    assert 0 < ahead.audio_s < confirmed.audio_s  # only its first clause
    desk.events.publish(TurnOver())
    first._mark_scheduled()
    assert spoken(await speaking) == text
    assert ahead.audio_s == pytest.approx(confirmed.audio_s)


@pytest.mark.parametrize("is_known", [True, False])
@in_virtual_time
async def test_speech_outside_an_announced_reply_is_computed_at_once_and_in_full(is_known: bool) -> None:
    desk = Desk("yes, we are open all day. come and see us.")
    work = desk.write()
    text = await (run_for(SpeechHandle.create(), work) if is_known else work)
    assert text == "yes, we are open all day. come and see us."
    assert desk.model.replies[0].request.priority is Priority.CONFIRMED
    assert spoken(await desk.speak(text)) == text


@pytest.mark.parametrize(("choice", "offered"), [(None, TOOL_SPECS), ("auto", TOOL_SPECS), ("none", ())])
@in_virtual_time
async def test_the_language_model_gets_the_tools_unless_the_choice_is_none(
    choice: llm.ToolChoice | None, offered: tuple[object, ...]
) -> None:
    desk = Desk()
    await desk.write(tool_choice=choice)
    assert desk.model.replies[0].request.tools == offered


@in_virtual_time
async def test_a_node_that_livekit_closes_stops_its_engine() -> None:
    desk = Desk("word " * 500)

    async def endless() -> AsyncIterator[str]:
        while True:
            yield "we are open all day. "
            await asyncio.sleep(0.1)

    writing = asyncio.create_task(desk.write())
    sounding = cast(AsyncGenerator[rtc.AudioFrame], desk.agent.tts_node(endless(), ModelSettings()))
    await anext(sounding)
    await sounding.aclose()
    writing.cancel()
    await asyncio.sleep(0.1)
    assert desk.model.replies[0].closed_at is not None
    assert all(stream.is_closed for stream in desk.voice.streams)  # type: ignore[attr-defined]
    said = list(desk.voice.spoken)
    await asyncio.sleep(5.0)
    assert desk.voice.spoken == said
