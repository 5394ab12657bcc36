"""Tests that every language model engine must pass, with the demo Llama.

A test module takes them over with `from tests.contract.llm_suite import *` and brings a fixture `shared`: one warm engine.
"""

import asyncio
import json
import threading
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest

from serving.chat import ChatEvent, ChatMessage, ChatRequest, Priority, TextDelta, ToolCall, ToolSpec, Usage
from serving.engine import LlmEngine
from serving.errors import PromptTooLong, ToolCallMalformed

LANGUAGE_MODEL = Path(__file__).parents[2] / "models" / "demo" / "language_model"
SYSTEM = ChatMessage("system", (LANGUAGE_MODEL / "prompts" / "front_desk.md").read_text())
GREETING = ChatMessage("assistant", "Thank you for calling Riverside Clinic. How can I help you?")
TOOLS = tuple(
    ToolSpec(entry["function"]["name"], entry["function"]["description"], entry["function"]["parameters"])
    for entry in json.loads((LANGUAGE_MODEL / "prompts" / "tools.json").read_text())
)
SATURDAY = "On Saturday we are open from nine to one."
LONG = "what are your opening hours on saturday"
SEVERAL_WAVES = 48
"""More replies than fit at once: the order of those made together says nothing."""


def ask(text: str, **changes: object) -> ChatRequest:
    """A call's first turn."""
    request = ChatRequest((SYSTEM, GREETING, ChatMessage("user", text)), TOOLS)
    return replace(request, **changes)  # type: ignore[arg-type]


async def reply(engine: LlmEngine, request: ChatRequest) -> list[ChatEvent]:
    """Everything that comes out for a request."""
    return [event async for event in engine.open(request)]


def spoken(events: list[ChatEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def usage(events: list[ChatEvent]) -> Usage:
    assert isinstance(events[-1], Usage)
    assert not any(isinstance(event, Usage) for event in events[:-1])
    return events[-1]


async def test_text_streams_token_by_token_and_usage_comes_last(shared: LlmEngine) -> None:
    events = await reply(shared, ask(LONG))
    assert spoken(events).startswith(SATURDAY)
    assert sum(isinstance(event, TextDelta) for event in events) > 10
    counts = usage(events)
    assert counts.prompt_tokens > 300
    assert 10 < counts.completion_tokens < 60
    assert 0 < counts.ttft_s < 60


async def test_a_tool_call_is_parsed_and_never_spoken(shared: LlmEngine) -> None:
    events = await reply(shared, ask("is there a time with doctor chen next tuesday"))
    call, _ = events
    assert isinstance(call, ToolCall)
    assert call.name == "check_availability"
    assert json.loads(call.arguments) == {"day": "next tuesday", "doctor": "chen"}


async def test_the_result_of_a_tool_is_spoken(shared: LlmEngine) -> None:
    request = ask("is there a time with doctor chen next tuesday")
    call = (await reply(shared, request))[0]
    assert isinstance(call, ToolCall)
    result = ChatMessage("tool", '{"status": "ok", "times": ["nine thirty", "two"]}', call_id=call.call_id)
    messages = (*request.messages, ChatMessage("assistant", tool_calls=(call,)), result)
    text = spoken(await reply(shared, replace(request, messages=messages)))
    assert "nine thirty" in text
    assert "{" not in text


async def test_a_call_cut_short_is_an_error_and_not_speech(shared: LlmEngine) -> None:
    stream = aiter(shared.open(ask("is there a time with doctor chen next tuesday", max_tokens=6)))
    with pytest.raises(ToolCallMalformed, match="truncated"):
        await anext(stream)


async def test_the_place_of_a_closed_stream_is_free(shared: LlmEngine) -> None:
    for _ in range(20):
        await shared.open(ask(LONG)).aclose()
    assert spoken(await reply(shared, ask(LONG))).startswith(SATURDAY)


async def test_a_prompt_that_cannot_fit_is_refused_before_generating(shared: LlmEngine) -> None:
    with pytest.raises(PromptTooLong, match=r"the language model.s limit is 2048 together.*cut the history"):
        shared.open(ask("hello " * 3000))
    with pytest.raises(PromptTooLong):
        shared.open(ask("hello", max_tokens=2000))


async def test_max_tokens_ends_a_reply(shared: LlmEngine) -> None:
    events = await reply(shared, ask(LONG, max_tokens=5))
    assert usage(events).completion_tokens == 5
    assert SATURDAY.startswith(spoken(events))


async def test_a_caller_waits_for_nobody_less_urgent(shared: LlmEngine) -> None:
    finished: list[str] = []

    async def run(name: str, priority: Priority) -> None:
        assert spoken(await reply(shared, ask(LONG, priority=priority))).startswith(SATURDAY)
        finished.append(name)

    background = [asyncio.create_task(run("background", Priority.BACKGROUND)) for _ in range(SEVERAL_WAVES)]
    speculative = [asyncio.create_task(run("speculative", Priority.SPECULATIVE)) for _ in range(2)]
    await asyncio.sleep(0)
    confirmed = [asyncio.create_task(run("confirmed", Priority.CONFIRMED)) for _ in range(2)]
    await asyncio.gather(*background, *speculative, *confirmed)
    assert max(index for index, name in enumerate(finished) if name == "confirmed") < len(finished) // 2
    assert finished[-1] == "background"


async def test_a_reply_whose_turn_is_over_no_longer_waits_for_those_that_may_be_thrown_away(shared: LlmEngine) -> None:
    finished: list[str] = []

    async def run(name: str, confirmed: "Future[None]") -> None:
        request = ask(LONG, priority=Priority.SPECULATIVE, confirmed=confirmed)
        assert spoken(await reply(shared, request)).startswith(SATURDAY)
        finished.append(name)

    turn_over: Future[None] = Future()
    others = [asyncio.create_task(run("other", Future())) for _ in range(SEVERAL_WAVES)]
    await asyncio.sleep(0)
    waited_for = asyncio.create_task(run("waited for", turn_over))
    await asyncio.sleep(0)
    turn_over.set_result(None)
    await asyncio.gather(*others, waited_for)
    assert finished.index("waited for") < len(finished) // 2


async def test_what_is_generated_ahead_and_the_rest_are_one_reply(shared: LlmEngine) -> None:
    expected = await reply(shared, ask(LONG))
    turn_over: Future[None] = Future()
    stream = shared.open(ask(LONG, priority=Priority.SPECULATIVE, confirmed=turn_over, tokens_ahead=6))
    events: list[ChatEvent] = []

    async def collect() -> None:
        async for event in stream:
            events.append(event)

    collecting = asyncio.create_task(collect())
    for _ in range(500):
        if len(events) >= 3:
            break
        await asyncio.sleep(0.02)
    await asyncio.sleep(1.0)
    assert 0 < len(events) <= 6
    assert not collecting.done()
    turn_over.set_result(None)
    await collecting
    assert spoken(events) == spoken(expected)
    counts, alone = usage(events), usage(expected)
    assert (counts.prompt_tokens, counts.completion_tokens) == (alone.prompt_tokens, alone.completion_tokens)
    assert 0 <= counts.cached_tokens < counts.prompt_tokens


async def test_replies_at_the_same_time_do_not_mix(shared: LlmEngine) -> None:
    questions = [LONG, "do you take medicare", "where can i park", "is there a time with doctor chen next tuesday"]
    alone = [await reply(shared, ask(question)) for question in questions]
    together = await asyncio.gather(*(reply(shared, ask(question)) for question in questions * 3))
    for events, expected in zip(together, alone * 3, strict=True):
        assert spoken(events) == spoken(expected)
        assert len(events) == len(expected)


def test_event_loops_in_two_threads_share_the_engine(shared: LlmEngine) -> None:
    outcomes: dict[str, list[str]] = {LONG: [], "where can i park": []}

    async def call(question: str) -> None:
        for _ in range(10):
            outcomes[question].append(spoken(await reply(shared, ask(question))))

    threads = [threading.Thread(target=asyncio.run, args=[call(question)]) for question in outcomes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [len(texts) for texts in outcomes.values()] == [10, 10]
    assert [len(set(texts)) for texts in outcomes.values()] == [1, 1]
    assert outcomes[LONG][0].startswith(SATURDAY)
    assert outcomes["where can i park"][0] != outcomes[LONG][0]


async def test_temperature_samples(shared: LlmEngine) -> None:
    replies = set()
    for _ in range(8):
        try:
            replies.add(spoken(await reply(shared, ask(LONG, temperature=2.0))))
        except ToolCallMalformed:  # at this temperature some replies begin with a brace
            replies.add("{")
    assert len(replies) > 1


async def test_a_closed_stream_says_nothing_more(shared: LlmEngine) -> None:
    stream = shared.open(ask(LONG))
    events = aiter(stream)
    await anext(events)
    await stream.aclose()
    await stream.aclose()
    assert [event async for event in events] == []


async def test_what_was_prefilled_is_answered_the_same(shared: LlmEngine) -> None:
    for words in ("what are your opening", "what are your opening hours on"):
        await shared.prefill(ask(words))
    assert spoken(await reply(shared, ask(LONG))).startswith(SATURDAY)


async def test_tenants_are_answered_alike(shared: LlmEngine) -> None:
    replies = {spoken(await reply(shared, ask(LONG, tenant=tenant))) for tenant in ("", "north", "south")}
    assert len(replies) == 1
