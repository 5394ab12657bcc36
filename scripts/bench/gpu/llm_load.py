"""Many calls that query the language model at the same time, with more or less of their prompt cached."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self

from scripts.bench.llm import GREETING, LANGUAGE_MODEL, LINES, Timings, demo_tools, measure
from serving import metrics
from serving.chat import ChatMessage, ChatRequest, Priority
from serving.llm.vllm import VllmLlm

COLD, CACHED, AHEAD = "nothing cached", "call so far cached", "spoken words computed ahead"
WORDS = "i would like to book an appointment with doctor chen on tuesday next week because i have a headache"
LAST_WORDS = 2
"""How many of them come after those computed ahead."""
ANSWER = "Of course. On Tuesday doctor Chen is free at nine thirty and at two. Which time suits you?"
RANDOM_REPLY_TOKENS, REPLY_TOKENS = 32, 96
POLL_S = 0.002
LONG_REPLY_TOKENS = 400
TO_CORE_S = 0.01
"""Time from vLLM's front end to its core."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A call so far, and what the caller says next."""

    before: ChatRequest
    """Up to the agent's last words."""
    max_tokens: int

    @classmethod
    def of(cls, exchanges: int, is_random: bool) -> Self:
        """A call after this many questions and answers. Random weights talk until they are stopped."""
        system = ChatMessage("system", (LANGUAGE_MODEL / "prompts" / "front_desk.md").read_text(encoding="utf-8"))
        answer = ChatMessage("assistant", ANSWER)
        questions = (ChatMessage("user", LINES[number % len(LINES)]) for number in range(exchanges))
        said = [message for question in questions for message in (question, answer)]
        request = ChatRequest((system, GREETING, *said), demo_tools())
        return cls(request, RANDOM_REPLY_TOKENS if is_random else REPLY_TOKENS)

    def asked(self, tenant: str, *, without: int = 0, priority: Priority = Priority.CONFIRMED) -> ChatRequest:
        """The request once the caller has spoken all words but the last `without`."""
        words = WORDS.split()
        spoken = ChatMessage("user", " ".join(words[: len(words) - without]))
        messages = (*self.before.messages, spoken)
        return replace(self.before, messages=messages, tenant=tenant, max_tokens=self.max_tokens, priority=priority)


@dataclass(slots=True)
class Level:
    """Calls at once, and their figures."""

    calls: int
    rounds: int
    timings: dict[str, Timings] = field(default_factory=lambda: {way: Timings() for way in (COLD, CACHED, AHEAD)})
    tokens_per_s: list[float] = field(default_factory=list)
    """Of all calls together, one value per round."""
    prompt_tokens: int = 0
    queue_s: float = 0.0
    """Mean."""
    kv_use: float = 0.0
    """Peak use, 0 to 1."""


async def run_level(engine: VllmLlm, conversation: Conversation, level: Level) -> Level:
    """Run every round in every way, each call with a cache of its own. Returns `level`, filled."""
    level.prompt_tokens = _prompt_tokens(engine, conversation)
    queued_s, queued = _sample("callbox_llm_queue_seconds_sum"), _sample("callbox_llm_queue_seconds_count")
    async with _watching_kv(level):
        for _ in range(level.rounds):
            for way, timings in level.timings.items():
                await _round(engine, conversation, level, way, timings)
    requests = _sample("callbox_llm_queue_seconds_count") - queued
    level.queue_s = (_sample("callbox_llm_queue_seconds_sum") - queued_s) / max(1.0, requests)
    return level


async def abort_s(engine: VllmLlm, conversation: Conversation, calls: int) -> tuple[float, float]:
    """Abort this many replies: seconds until the front end holds none, and until the first token of the next reply."""
    tenant = await _cached_tenant(engine, conversation)
    request = replace(conversation.asked(tenant), max_tokens=LONG_REPLY_TOKENS)
    streams = [engine.open(request) for _ in range(calls)]
    await _until(lambda: _unfinished(engine) > 0)
    await asyncio.sleep(TO_CORE_S)
    began = time.perf_counter()
    for stream in streams:
        await stream.aclose()
    timings = Timings()
    following = asyncio.create_task(measure(engine, conversation.asked(tenant), timings))
    await _until(lambda: _unfinished(engine) <= 1)
    let_go_s = time.perf_counter() - began
    await following
    return let_go_s, timings.ttft_s[0]


async def beside_background_s(engine: VllmLlm, conversation: Conversation, calls: int) -> float:
    """Seconds to the first token of a confirmed answer while two summaries per call are generated."""
    tenant = await _cached_tenant(engine, conversation)
    background = replace(conversation.asked(tenant, priority=Priority.BACKGROUND), max_tokens=LONG_REPLY_TOKENS)
    streams = [engine.open(background) for _ in range(2 * calls)]
    await _until(lambda: _unfinished(engine) > 0)
    await asyncio.sleep(TO_CORE_S)
    timings = Timings()
    await measure(engine, conversation.asked(tenant), timings)
    for stream in streams:
        await stream.aclose()
    await _until(lambda: _unfinished(engine) == 0)
    return timings.ttft_s[0]


async def _round(engine: VllmLlm, conversation: Conversation, level: Level, way: str, timings: Timings) -> None:
    tenants = [uuid.uuid4().hex for _ in range(level.calls)]
    if way != COLD:
        await asyncio.gather(*(engine.prefill(replace(conversation.before, tenant=tenant)) for tenant in tenants))
    if way == AHEAD:
        spoken = (conversation.asked(tenant, without=LAST_WORDS) for tenant in tenants)
        await asyncio.gather(*(engine.prefill(request) for request in spoken))
    before = len(timings.tokens_per_s)
    await asyncio.gather(*(measure(engine, conversation.asked(tenant), timings) for tenant in tenants))
    level.tokens_per_s.append(sum(timings.tokens_per_s[before:]))


async def _cached_tenant(engine: VllmLlm, conversation: Conversation) -> str:
    tenant = uuid.uuid4().hex
    await engine.prefill(conversation.asked(tenant))
    return tenant


def _prompt_tokens(engine: VllmLlm, conversation: Conversation) -> int:
    assert engine._model is not None
    return len(engine._model.vocabulary.prompt(conversation.asked("")))


def _unfinished(engine: VllmLlm) -> int:
    """Requests in vLLM's front end."""
    assert engine._model is not None
    core: Any = engine._model.core
    return int(core.llm.get_num_unfinished_requests())


@contextlib.asynccontextmanager
async def _watching_kv(level: Level) -> AsyncIterator[None]:
    async def watch() -> None:
        while True:
            level.kv_use = max(level.kv_use, _sample("callbox_llm_kv_use"))
            await asyncio.sleep(POLL_S)

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()


async def _until(holds: Callable[[], bool]) -> None:
    """Raises TimeoutError after 20 s."""
    async with asyncio.timeout(20.0):
        while not holds():  # noqa: ASYNC110 - the engine has a loop of its own
            await asyncio.sleep(POLL_S)


def _sample(name: str) -> float:
    return metrics.REGISTRY.get_sample_value(name) or 0.0
