"""What vLLM adds: a cache of every shared prefix, separate tenants, priorities, aborts that reach the core, metrics."""

import asyncio
import json
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest

from serving import metrics
from serving.chat import ChatMessage, ChatRequest, Priority, TextDelta, ToolCall
from serving.errors import EngineDied, EngineLoadFailed
from serving.gpu.memory import SEQUENCES_PER_CALL
from serving.llm.ctranslate2 import CTranslate2Llm, CTranslate2LlmOptions
from serving.llm.vllm import VllmLlm
from serving.llm.vllm_options import VllmOptions
from tests.contract.llm_suite import (
    GREETING,
    LANGUAGE_MODEL,
    LONG,
    SATURDAY,
    SYSTEM,
    TOOLS,
    ask,
    reply,
    spoken,
    usage,
)
from tests.vllm.crowd import SIZE, crowd, deaths

pytestmark = pytest.mark.contract

QUESTIONS = (
    LONG,
    "do you take medicare",
    "where can i park",
    "is there a time with doctor chen next tuesday",
    "i need a refill for my ibuprofen my name is anna smith",
    "i want to speak to a nurse",
    "what are your opening hours on monday",
    "are my blood test results ready my name is anna smith",
    "thank you goodbye",
)


def unfinished(engine: VllmLlm) -> int:
    """Requests that vLLM's front end still holds."""
    assert engine._model is not None
    core: Any = engine._model.core
    return int(core.llm.get_num_unfinished_requests())


def nobody() -> str:
    """A tenant whose cache is empty."""
    return uuid.uuid4().hex


async def test_what_is_spoken_and_called_is_the_same_as_on_ctranslate2(shared: VllmLlm) -> None:
    """The same weights, rounded in two ways (bfloat16 and int8), so polite endings may differ; what matters may not."""
    other = CTranslate2Llm(CTranslate2LlmOptions(), LANGUAGE_MODEL / "ct2")
    other.load()
    for question in QUESTIONS:
        ours, theirs = await reply(shared, ask(question)), await reply(other, ask(question))
        assert usage(ours).prompt_tokens == usage(theirs).prompt_tokens
        assert _said(ours) == _said(theirs)
    other.close()


def _said(events: Sequence[object]) -> tuple[str, list[tuple[str, object]]]:
    """The first sentence, and the calls."""
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    calls = [(event.name, json.loads(event.arguments)) for event in events if isinstance(event, ToolCall)]
    return text.partition(". ")[0], calls


async def test_both_engines_get_the_same_tokens(shared: VllmLlm) -> None:
    other = CTranslate2Llm(CTranslate2LlmOptions(), LANGUAGE_MODEL / "ct2")
    other.load()
    assert shared._model is not None
    assert other._model is not None
    for question in QUESTIONS:
        request = ask(question)
        assert shared._model.vocabulary.prompt(request) == other._model.vocabulary.prompt(request)
    other.close()


async def test_a_warmed_prefix_is_cached_from_the_first_reply_on(shared: VllmLlm, block_tokens: int) -> None:
    tenant = nobody()
    assert shared._model is not None
    static_tokens = len(shared._model.vocabulary.prompt(ask(LONG)).static)
    cold = usage(await reply(shared, ask(LONG, tenant=nobody())))
    await shared.warm_prefix(ChatRequest((SYSTEM,), TOOLS, tenant=tenant))
    warm = usage(await reply(shared, ask(LONG, tenant=tenant)))
    assert cold.cached_tokens == 0
    assert warm.cached_tokens >= static_tokens // block_tokens * block_tokens > 250


async def test_the_whole_call_so_far_is_cached_and_not_only_its_beginning(shared: VllmLlm, block_tokens: int) -> None:
    request = ask(QUESTIONS[0], tenant=nobody())
    for question in QUESTIONS[1:7]:
        before = usage(await reply(shared, request))
        said = spoken(await reply(shared, request)) or "One moment."
        messages = (*request.messages, ChatMessage("assistant", said), ChatMessage("user", question))
        request = replace(request, messages=messages)
        now = usage(await reply(shared, request))
        assert now.cached_tokens >= before.prompt_tokens - block_tokens
        assert now.prompt_tokens - now.cached_tokens < 128


async def test_words_that_are_still_being_spoken_are_computed_ahead(shared: VllmLlm, block_tokens: int) -> None:
    tenant = nobody()
    words = "i would like to book an appointment with doctor chen on tuesday next week because i have a headache"
    history = (ChatMessage("user", "hello"), ChatMessage("assistant", SATURDAY))
    request = ChatRequest((SYSTEM, GREETING, *history, ChatMessage("user", words)), TOOLS, tenant=tenant)
    half = replace(request, messages=(*request.messages[:-1], ChatMessage("user", " ".join(words.split()[:-2]))))
    await shared.warm_prefix(request)
    without = usage(await reply(shared, replace(request, tenant="", messages=request.messages)))
    await shared.prefill(half)
    with_prefill = usage(await reply(shared, request))
    assert with_prefill.cached_tokens >= with_prefill.prompt_tokens - 2 * block_tokens
    assert with_prefill.cached_tokens > without.cached_tokens


async def test_no_tenant_finds_what_another_has_computed(shared: VllmLlm) -> None:
    north, south = nobody(), nobody()
    first = [usage(await reply(shared, ask(LONG, tenant=tenant))).cached_tokens for tenant in (north, south)]
    again = [usage(await reply(shared, ask(LONG, tenant=tenant))).cached_tokens for tenant in (north, south)]
    assert first == [0, 0]
    assert min(again) > 250


async def test_a_confirmed_answer_goes_before_all_that_nobody_waits_for(shared: VllmLlm, options: VllmOptions) -> None:
    """With more of the less urgent than there are places, they queue and the confirmed one does not."""
    finished: list[Priority] = []

    async def run(priority: Priority) -> None:
        await reply(shared, ask(LONG, priority=priority))
        finished.append(priority)

    many = 2 * SEQUENCES_PER_CALL * options.max_calls
    waiting = [asyncio.create_task(run(Priority.BACKGROUND)) for _ in range(many)]
    waiting += [asyncio.create_task(run(Priority.SPECULATIVE)) for _ in range(many)]
    await _busy(shared)
    await run(Priority.CONFIRMED)
    ahead = finished.index(Priority.CONFIRMED)
    await asyncio.gather(*waiting)
    assert ahead <= many
    half = finished[: len(finished) // 2]
    assert half.count(Priority.SPECULATIVE) > half.count(Priority.BACKGROUND)


async def test_closing_a_stream_aborts_the_request_in_the_core(shared: VllmLlm) -> None:
    streams = [shared.open(ask(LONG, max_tokens=200)) for _ in range(SIZE)]
    await anext(aiter(streams[-1]))
    assert unfinished(shared) > 0
    for stream in streams:
        await stream.aclose()
    await _idle(shared)


async def test_a_cancelled_prefill_leaves_nothing_behind(shared: VllmLlm) -> None:
    prefill = asyncio.create_task(shared.prefill(ask("hello " * 1500, tenant=nobody())))
    await _busy(shared)
    prefill.cancel()
    with pytest.raises(asyncio.CancelledError):
        await prefill
    await _idle(shared)


async def _busy(engine: VllmLlm) -> None:
    """Wait until something has reached vLLM. On a GPU it may be done a few milliseconds later."""
    async with asyncio.timeout(10):
        while not unfinished(engine):  # noqa: ASYNC110 - the engine's loop is another one
            await asyncio.sleep(0)


async def _idle(engine: VllmLlm) -> None:
    async with asyncio.timeout(10):
        while unfinished(engine):  # noqa: ASYNC110 - the engine's loop is another one
            await asyncio.sleep(0.01)


async def test_its_figures_are_on_the_metrics_page(shared: VllmLlm) -> None:
    before = _value("callbox_llm_queue_seconds_count")
    replies = await crowd(shared)
    assert _value('callbox_llm_requests{state="running"}') >= 1
    assert _value("callbox_llm_kv_use") > 0
    assert await deaths(replies) == []
    await _idle(shared)
    await reply(shared, ask(LONG))
    assert _value("callbox_llm_queue_seconds_count") > before


def _value(name: str) -> float:
    page = generate_latest(metrics.REGISTRY).decode()
    return next((float(line.split()[-1]) for line in page.splitlines() if line.startswith(f"{name} ")), 0.0)


@pytest.mark.parametrize("missing", ["tokenizer.json", "tokenizer_config.json"])
def test_a_broken_folder_is_refused_by_name_before_vllm_starts(
    tmp_path: Path, options: VllmOptions, missing: str
) -> None:
    for file in (LANGUAGE_MODEL / "hf").iterdir():
        if file.name != missing:
            (tmp_path / file.name).symlink_to(file)
    with pytest.raises(EngineLoadFailed, match=tmp_path.name):
        VllmLlm(options, tmp_path).load()


def test_an_engine_that_was_never_loaded_says_so(options: VllmOptions) -> None:
    engine = VllmLlm(options, LANGUAGE_MODEL / "hf")
    engine.close()
    for use in (engine.check, lambda: engine.open(ask(LONG))):
        with pytest.raises(EngineDied, match="not loaded"):
            use()
