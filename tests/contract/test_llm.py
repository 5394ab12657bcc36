"""The language model on CTranslate2 against the seam, on the real demo Llama."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from serving.chat import ChatMessage, ChatRequest
from serving.errors import EngineDied, EngineLoadFailed
from serving.llm.ctranslate2 import CTranslate2Llm, CTranslate2LlmOptions
from tests.contract.llm_suite import *  # noqa: F403 - the tests that every engine passes
from tests.contract.llm_suite import GREETING, LANGUAGE_MODEL, LONG, SATURDAY, SYSTEM, TOOLS, ask, reply, spoken, usage

pytestmark = pytest.mark.contract


@pytest.fixture(scope="module")
def shared() -> Iterator[CTranslate2Llm]:
    """The engine for tests that leave no state behind."""
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
