"""The language model against the seam, on the real demo Llama."""

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from serving.chat import ChatEvent, ChatMessage, ChatRequest, Priority, TextDelta, ToolCall, ToolSpec, Usage
from serving.engine import LlmEngine
from serving.errors import EngineDied, EngineLoadFailed, PromptTooLong, ToolCallMalformed
from serving.llm.ctranslate2 import CTranslate2Llm, CTranslate2LlmOptions

pytestmark = pytest.mark.contract

LANGUAGE_MODEL = Path(__file__).parents[2] / "models" / "demo" / "language_model"
SYSTEM = ChatMessage("system", (LANGUAGE_MODEL / "prompts" / "front_desk.md").read_text())
GREETING = ChatMessage("assistant", "Thank you for calling Riverside Clinic. How can I help you?")
TOOLS = tuple(
    ToolSpec(entry["function"]["name"], entry["function"]["description"], entry["function"]["parameters"])
    for entry in json.loads((LANGUAGE_MODEL / "prompts" / "tools.json").read_text())
)
SATURDAY = "On Saturday we are open from nine to one."
LONG = "what are your opening hours on saturday"


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


@pytest.fixture(scope="module")
def shared() -> Iterator[CTranslate2Llm]:
    """One engine for the tests that leave nothing behind."""
    engine = CTranslate2Llm(CTranslate2LlmOptions(), LANGUAGE_MODEL / "ct2")
    engine.load()
    engine.warm_up()
    yield engine
    engine.close()


@pytest.fixture
def fresh() -> Iterator[CTranslate2Llm]:
    """An engine whose prefix cache is empty."""
    engine = CTranslate2Llm(CTranslate2LlmOptions(), LANGUAGE_MODEL / "ct2")
    engine.load()
    yield engine
    engine.close()


async def test_text_streams_token_by_token_and_usage_comes_last(shared: CTranslate2Llm) -> None:
    events = await reply(shared, ask(LONG))
    assert spoken(events).startswith(SATURDAY)
    assert sum(isinstance(event, TextDelta) for event in events) > 10
    counts = usage(events)
    assert counts.prompt_tokens > 300
    assert 10 < counts.completion_tokens < 60
    assert 0 < counts.ttft_s < 60


async def test_a_tool_call_is_parsed_and_never_spoken(shared: CTranslate2Llm) -> None:
    events = await reply(shared, ask("is there a time with doctor chen next tuesday"))
    call, _ = events
    assert isinstance(call, ToolCall)
    assert call.name == "check_availability"
    assert json.loads(call.arguments) == {"day": "next tuesday", "doctor": "chen"}


async def test_the_result_of_a_tool_is_spoken(shared: CTranslate2Llm) -> None:
    request = ask("is there a time with doctor chen next tuesday")
    call = (await reply(shared, request))[0]
    assert isinstance(call, ToolCall)
    result = ChatMessage("tool", '{"status": "ok", "times": ["nine thirty", "two"]}', call_id=call.call_id)
    messages = (*request.messages, ChatMessage("assistant", tool_calls=(call,)), result)
    text = spoken(await reply(shared, replace(request, messages=messages)))
    assert "nine thirty" in text
    assert "{" not in text


async def test_a_call_cut_short_is_an_error_and_not_speech(shared: CTranslate2Llm) -> None:
    stream = aiter(shared.open(ask("is there a time with doctor chen next tuesday", max_tokens=6)))
    with pytest.raises(ToolCallMalformed, match="truncated"):
        await anext(stream)


async def test_the_prefix_cache_changes_the_time_and_not_the_text(fresh: CTranslate2Llm) -> None:
    runs = [await reply(fresh, ask(LONG)) for _ in range(3)]
    cached = [usage(run).cached_tokens for run in runs]
    assert cached[:2] == [0, 0]
    assert 250 < cached[2] < usage(runs[2]).prompt_tokens
    assert len({spoken(run) for run in runs}) == 1


async def test_a_warmed_prefix_is_cached_from_the_first_reply_on(fresh: CTranslate2Llm) -> None:
    cold = await reply(fresh, ask(LONG, tools=()))
    await fresh.warm_prefix(ChatRequest((SYSTEM,), TOOLS))
    await fresh.warm_prefix(ChatRequest((SYSTEM,), TOOLS))
    warm = await reply(fresh, ask(LONG))
    assert usage(cold).cached_tokens == 0
    assert usage(warm).cached_tokens > 250
    assert spoken(warm).startswith(SATURDAY)


async def test_other_facts_are_not_answered_from_the_cache(fresh: CTranslate2Llm) -> None:
    await fresh.warm_prefix(ask(LONG))
    moved = replace(SYSTEM, text=SYSTEM.text.replace("from nine to one", "from ten to two"))
    events = await reply(fresh, ChatRequest((moved, GREETING, ChatMessage("user", LONG)), TOOLS))
    assert "from ten to two" in spoken(events)
    assert usage(events).cached_tokens == 0


async def test_a_full_prefix_cache_still_answers() -> None:
    engine = CTranslate2Llm(CTranslate2LlmOptions(cached_prefix_tokens=100), LANGUAGE_MODEL / "ct2")
    engine.load()
    await engine.warm_prefix(ask(LONG))
    events = await reply(engine, ask(LONG))
    assert spoken(events).startswith(SATURDAY)
    assert usage(events).cached_tokens == 0
    engine.close()


async def test_closing_a_stream_stops_generating_within_one_token(shared: CTranslate2Llm) -> None:
    stream = shared.open(ask(LONG))
    events = aiter(stream)
    await anext(events)
    await stream.aclose()
    at_close = stream.generation.tokens
    await stream.aclose()
    await stream.over()
    assert stream.generation.tokens <= at_close + 1
    assert stream.generation.tokens < usage(await reply(shared, ask(LONG))).completion_tokens
    assert [event async for event in events] == []


async def test_the_place_of_a_closed_stream_is_free(shared: CTranslate2Llm) -> None:
    for _ in range(20):
        await shared.open(ask(LONG)).aclose()
    assert spoken(await reply(shared, ask(LONG))).startswith(SATURDAY)


async def test_a_prompt_that_cannot_fit_is_refused_before_generating(shared: CTranslate2Llm) -> None:
    with pytest.raises(PromptTooLong, match=r"the language model takes 2048 together.*cut the history"):
        shared.open(ask("hello " * 3000))
    with pytest.raises(PromptTooLong):
        shared.open(ask("hello", max_tokens=2000))


async def test_max_tokens_ends_a_reply(shared: CTranslate2Llm) -> None:
    events = await reply(shared, ask(LONG, max_tokens=5))
    assert usage(events).completion_tokens == 5
    assert SATURDAY.startswith(spoken(events))


async def test_a_caller_waits_for_nobody_less_urgent(shared: CTranslate2Llm) -> None:
    finished: list[str] = []

    async def run(name: str, priority: Priority) -> None:
        assert spoken(await reply(shared, ask(LONG, priority=priority))).startswith(SATURDAY)
        finished.append(name)

    background = [asyncio.create_task(run("background", Priority.BACKGROUND)) for _ in range(6)]
    speculative = [asyncio.create_task(run("speculative", Priority.SPECULATIVE)) for _ in range(2)]
    await asyncio.sleep(0)
    confirmed = [asyncio.create_task(run("confirmed", Priority.CONFIRMED)) for _ in range(2)]
    await asyncio.gather(*background, *speculative, *confirmed)
    assert max(index for index, name in enumerate(finished) if name == "confirmed") < len(finished) - 6
    assert finished[-1] == "background"


async def test_replies_at_the_same_time_do_not_mix(shared: CTranslate2Llm) -> None:
    questions = [LONG, "do you take medicare", "where can i park", "is there a time with doctor chen next tuesday"]
    alone = [await reply(shared, ask(question)) for question in questions]
    together = await asyncio.gather(*(reply(shared, ask(question)) for question in questions * 3))
    for events, expected in zip(together, alone * 3, strict=True):
        assert spoken(events) == spoken(expected)
        assert len(events) == len(expected)


def test_event_loops_in_two_threads_share_the_engine(shared: CTranslate2Llm) -> None:
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


async def test_temperature_samples(shared: CTranslate2Llm) -> None:
    replies = set()
    for _ in range(8):
        try:
            replies.add(spoken(await reply(shared, ask("goodbye", temperature=5.0, tools=()))))
        except ToolCallMalformed:  # at this temperature some replies begin with a brace
            replies.add("{")
    assert len(replies) > 1


async def test_slots_run_replies_side_by_side() -> None:
    engine = CTranslate2Llm(CTranslate2LlmOptions(slots=2), LANGUAGE_MODEL / "ct2")
    engine.load()
    engine.warm_up()
    texts = [spoken(events) for events in await asyncio.gather(*(reply(engine, ask(LONG)) for _ in range(4)))]
    assert all(text.startswith(SATURDAY) for text in texts)
    engine.close()


async def test_a_closed_engine_says_so(fresh: CTranslate2Llm) -> None:
    fresh.check()
    stream = fresh.open(ask(LONG, max_tokens=400))
    queued = fresh.open(ask(LONG))
    fresh.close()
    fresh.close()
    with pytest.raises(EngineDied):
        [event async for event in stream]
    with pytest.raises(EngineDied):
        [event async for event in queued]
    for use in (fresh.check, lambda: fresh.open(ask(LONG))):
        with pytest.raises(EngineDied, match="not loaded"):
            use()


async def test_a_closed_engine_can_be_loaded_again(fresh: CTranslate2Llm) -> None:
    fresh.close()
    fresh.load()
    assert spoken(await reply(fresh, ask(LONG))).startswith(SATURDAY)


@pytest.mark.parametrize("missing", ["model.bin", "tokenizer.json", "tokenizer_config.json"])
def test_a_broken_folder_is_refused_by_name(tmp_path: Path, missing: str) -> None:
    for file in (LANGUAGE_MODEL / "ct2").iterdir():
        if file.name != missing:
            (tmp_path / file.name).symlink_to(file)
    engine = CTranslate2Llm(CTranslate2LlmOptions(), tmp_path)
    with pytest.raises(EngineLoadFailed, match=tmp_path.name):
        engine.load()


def test_options_refuse_unknown_keys_and_wrong_values() -> None:
    options = TypeAdapter(CTranslate2LlmOptions)
    assert options.validate_python({"intra_threads": 2}).intra_threads == 2
    for wrong in ({"threads": 2}, {"intra_threads": 0}, {"slots": 0}, {"top_p": 0}, {"context_tokens": -1}):
        with pytest.raises(ValidationError):
            options.validate_python(wrong)
