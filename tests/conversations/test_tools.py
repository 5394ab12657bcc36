"""Turns that need a tool, and the end of a call."""

import json

import pytest

from agent.call.dialogue import LAST_SOUND_S
from agent.call.events import EndReason
from serving.chat import TextDelta, ToolCall, Usage
from tests.conversations.talk import PARKING, Remembered, by_words, conversation, now
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.conversation

REFILL = ToolCall("call_1", "request_refill", json.dumps({"name": "James Wilson", "medication": "metformin"}))
END = ToolCall("call_9", "end_call", "{}")


@in_virtual_time
async def test_a_tool_runs_and_its_result_is_spoken() -> None:
    async with conversation(by_words({"a refill please": REFILL, "tool": "it is on its way"})) as talk:
        line = talk.say("a refill please")
        await talk.quiet()
        assert [call.name for call in talk.tool_calls()] == ["request_refill"]
        after = talk.replies[-1].request.messages[-2:]
        assert after[0].tool_calls[0].name == "request_refill"
        assert json.loads(after[1].text)["status"] == "sent"
        assert talk.heard_text(since=line.start) == "it is on its way"
        assert talk.history[1:] == [Remembered("user", "a refill please"), Remembered("assistant", "it is on its way")]


@in_virtual_time
async def test_a_tool_does_not_run_before_the_turn_is_over() -> None:
    async with conversation(by_words({"a refill please": REFILL, "tool": "it is on its way"})) as talk:
        line = talk.say("a refill please")
        await talk.until(lambda: talk.replies and talk.replies[0].is_complete)
        assert now() < line.end + 0.3
        assert talk.room.sent[-1].topic != "callbox.tool"
        await talk.quiet()
        assert [sent.topic for sent in talk.room.sent].count("callbox.tool") == 1


@in_virtual_time
async def test_a_tool_call_for_half_a_sentence_is_never_run() -> None:
    answers = by_words({"a refill": REFILL, "a refill of the other one": PARKING, "tool": "it is on its way"})
    async with conversation(answers) as talk:
        first = talk.say("a refill", ends_turn=False)
        line = talk.say("of the other one", at=first.end + 0.64)
        await talk.quiet()
        assert talk.replies[0].is_complete
        assert talk.tool_calls() == []
        assert "callbox.tool" not in {sent.topic for sent in talk.room.sent}
        assert talk.history[1:] == [Remembered("user", "a refill of the other one"), Remembered("assistant", PARKING)]
        assert talk.heard_text(since=line.start) == PARKING


@in_virtual_time
async def test_words_before_a_tool_call_are_spoken_too() -> None:
    def answer(request: object) -> list[TextDelta | ToolCall]:
        if talk.replies[-1].request.messages[-1].role == "tool":
            return [TextDelta("it is on its way")]
        return [TextDelta("one moment please."), REFILL]

    async with conversation(answer) as talk:
        line = talk.say("a refill please")
        await talk.quiet()
        assert talk.heard_text(since=line.start) == "one moment please. it is on its way"
        assert len(talk.tool_calls()) == 1


@in_virtual_time
async def test_tool_steps_are_limited() -> None:
    async with conversation(by_words({"a refill please": REFILL, "tool": REFILL})) as talk:
        talk.say("a refill please")
        await talk.quiet(6)
        assert len(talk.tool_calls()) <= 5
        talk.llm.answer = by_words({})
        line = talk.say("hello")
        await talk.quiet()
        assert talk.heard_text(since=line.start) == PARKING


@in_virtual_time
async def test_a_call_that_the_agent_ends_lasts_until_its_goodbye_was_heard() -> None:
    async with conversation(by_words({"that is all thanks": END, "tool": "goodbye and have a good day"})) as talk:
        line = talk.say("that is all thanks")
        await talk.until(lambda: talk.hung_up_at)
        last = talk.heard(since=line.start)[-1]
        assert (last.text, last.share) == ("day", 1.0)
        assert talk.hung_up_at == pytest.approx(last.at + 0.32 + LAST_SOUND_S, abs=0.05)
        assert talk.session.end_reason is EndReason.AGENT_HUNG_UP


@in_virtual_time
async def test_a_goodbye_said_with_the_tool_call_is_heard_before_the_end() -> None:
    def answer(request: object) -> list[TextDelta | ToolCall]:
        said_goodbye = talk.replies[-1].request.messages[-1].role == "tool"
        return [] if said_goodbye else [TextDelta("goodbye and have a good day"), END]

    async with conversation(answer) as talk:
        line = talk.say("that is all thanks")
        await talk.until(lambda: talk.hung_up_at)
        assert talk.heard_text(since=line.start) == "goodbye and have a good day"


@in_virtual_time
async def test_an_agent_can_end_a_call_without_a_word() -> None:
    def answer(request: object) -> list[TextDelta | ToolCall]:
        return [] if talk.replies[-1].request.messages[-1].role == "tool" else [END]

    async with conversation(answer) as talk:
        talk.say("that is all thanks")
        await talk.until(lambda: talk.hung_up_at, within_s=10)


@in_virtual_time
async def test_noise_over_the_goodbye_does_not_interrupt_it() -> None:
    goodbye = "goodbye and have a very good day and come back whenever there is something we can do"
    async with conversation(by_words({"that is all thanks": END, "tool": goodbye})) as talk:
        line = talk.say("that is all thanks")
        await talk.until(lambda: talk.heard(since=line.start))
        talk.make_noise(2.4)
        await talk.until(lambda: talk.hung_up_at)
        assert talk.heard(since=line.start)[-1].text == "do"


@in_virtual_time
async def test_a_caller_who_talks_over_the_goodbye_is_answered() -> None:
    goodbye = "goodbye and have a very good day and come back whenever there is something we can do"
    async with conversation(by_words({"that is all thanks": END, "tool": goodbye})) as talk:
        line = talk.say("that is all thanks")
        await talk.until(lambda: talk.heard(since=line.start))
        question = talk.say("wait where can i park", at=now() + 0.5)
        await talk.quiet()
        assert talk.hung_up_at is None
        assert talk.heard_text(since=question.end) == PARKING


@in_virtual_time
async def test_usage_is_published_for_every_reply() -> None:
    async with conversation() as talk:
        talk.say("where can i park")
        await talk.quiet()
        assert isinstance(talk.replies[0].sent[-1], Usage)
