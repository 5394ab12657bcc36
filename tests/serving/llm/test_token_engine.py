"""An engine with a scripted core: aborting, stalling, waiting, ending."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace

import pytest

from serving.chat import ChatMessage, ChatRequest, Priority, TextDelta, Usage
from serving.errors import EngineDied, EngineLoadFailed
from serving.llm.token_engine import Bunch, TokenLlm
from serving.llm.vocabulary import Vocabulary
from tests.contract.llm_suite import LANGUAGE_MODEL

pytestmark = pytest.mark.unit

HELLO = ChatRequest((ChatMessage("system", "Be kind."), ChatMessage("user", "hello")), max_tokens=16)
PLACES = 4


class ScriptedCore:
    """Says a few words, one token per bunch, while the gate is open; a prompt that ends in some of them gets the rest."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.words = vocabulary.tokenizer.encode("we are open", add_special_tokens=False).ids
        self.stop = next(iter(vocabulary.stop_ids))
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked: list[ChatRequest] = []
        self.running = 0
        self.aborted = 0
        self.is_closed = False

    async def generate(self, request: ChatRequest, ids: list[int]) -> AsyncGenerator[Bunch, None]:
        self.asked.append(request)
        self.running += 1
        try:
            said = max(n for n in range(len(self.words) + 1) if n == 0 or ids[-n:] == self.words[:n])
            for at, token in enumerate([*self.words, self.stop][said:][: request.max_tokens]):
                await self.gate.wait()
                yield Bunch([token], cached_tokens=7 if at == 0 else None)
        except (asyncio.CancelledError, GeneratorExit):
            self.aborted += 1
            raise
        finally:
            self.running -= 1

    async def aclose(self) -> None:
        self.is_closed = True


class ScriptedTokenLlm(TokenLlm):
    """An engine that exposes its core to the test."""

    name = "scripted"
    core: ScriptedCore
    refusal: EngineLoadFailed | None = None

    async def _start(self, vocabulary: Vocabulary) -> ScriptedCore:
        if self.refusal is not None:
            raise self.refusal
        self.core = ScriptedCore(vocabulary)
        return self.core

    def shut_the_gate(self) -> None:
        """No more tokens."""
        assert self._model is not None
        done = threading.Event()

        async def shut() -> None:
            self.core.gate.clear()
            done.set()

        self._model.thread.submit(shut())
        assert done.wait(10)


@pytest.fixture
def engine() -> Iterator[ScriptedTokenLlm]:
    made = ScriptedTokenLlm(
        LANGUAGE_MODEL / "hf", context_tokens=512, places=PLACES, speculative_prefill=True, stall_s=0.2
    )
    made.load()
    yield made
    made.close()


async def eventually(condition: Callable[[], object]) -> None:
    """Let the core's loop catch up."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - in another thread
            await asyncio.sleep(0.005)


async def test_tokens_become_text_and_usage(engine: ScriptedTokenLlm) -> None:
    *deltas, usage = [event async for event in engine.open(HELLO)]
    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == "we are open"
    assert isinstance(usage, Usage)
    assert usage.cached_tokens == 7
    assert usage.completion_tokens == len(engine.core.words) + 1
    assert usage.ttft_s > 0


@pytest.mark.parametrize("ahead", [1, 2])
async def test_what_may_be_thrown_away_is_generated_so_far_and_the_rest_when_somebody_waits(
    engine: ScriptedTokenLlm, ahead: int
) -> None:
    turn_over: Future[None] = Future()
    request = replace(HELLO, priority=Priority.SPECULATIVE, confirmed=turn_over, tokens_ahead=ahead)
    events: list[object] = []

    async def collect() -> None:
        async for event in engine.open(request):
            events.append(event)

    collecting = asyncio.create_task(collect())
    await eventually(lambda: len(engine.core.asked) == 1 and not engine.core.running)
    await asyncio.sleep(0.3)  # longer than a stall
    assert [(asked.max_tokens, asked.priority) for asked in engine.core.asked] == [(ahead, Priority.SPECULATIVE)]
    assert not collecting.done()
    turn_over.set_result(None)
    await asyncio.wait_for(collecting, 10)
    assert [(asked.max_tokens, asked.priority) for asked in engine.core.asked[1:]] == [
        (HELLO.max_tokens - ahead, Priority.CONFIRMED)
    ]
    *deltas, usage = events
    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == "we are open"
    assert isinstance(usage, Usage)
    assert (usage.completion_tokens, usage.cached_tokens) == (len(engine.core.words) + 1, 7)


async def test_a_reply_that_is_shorter_than_what_it_may_have_ahead_is_whole(engine: ScriptedTokenLlm) -> None:
    exactly = len(engine.core.words) + 1
    for ahead in (exactly, exactly + 1, None):
        request = replace(HELLO, priority=Priority.SPECULATIVE, confirmed=Future(), tokens_ahead=ahead)
        events = [event async for event in engine.open(request)]
        assert isinstance(events[-1], Usage)
    assert len(engine.core.asked) == 3


async def test_a_held_reply_that_is_closed_never_goes_on(engine: ScriptedTokenLlm) -> None:
    turn_over: Future[None] = Future()
    stream = engine.open(replace(HELLO, priority=Priority.SPECULATIVE, confirmed=turn_over, tokens_ahead=1))
    await eventually(lambda: engine.core.asked and not engine.core.running)
    await stream.aclose()
    await asyncio.sleep(0.05)
    turn_over.set_result(None)
    await asyncio.sleep(0.05)
    assert len(engine.core.asked) == 1


async def test_closing_a_stream_cancels_the_core(engine: ScriptedTokenLlm) -> None:
    engine.shut_the_gate()
    stream = engine.open(HELLO)
    await eventually(lambda: engine.core.running)
    await stream.aclose()
    await eventually(lambda: engine.core.aborted == 1 and not engine.core.running)


async def test_a_core_that_says_nothing_has_died(engine: ScriptedTokenLlm) -> None:
    engine.shut_the_gate()
    with pytest.raises(EngineDied, match="gave no token"):
        _ = [event async for event in engine.open(HELLO)]
    with pytest.raises(EngineDied, match="gave no token"):
        await engine.prefill(HELLO)
    await eventually(lambda: not engine.core.running)


async def test_background_work_fills_a_quarter_of_the_places_and_speculation_half(engine: ScriptedTokenLlm) -> None:
    engine.shut_the_gate()
    streams = [
        engine.open(replace(HELLO, priority=priority))
        for priority in (*[Priority.BACKGROUND] * 3, *[Priority.SPECULATIVE] * 3, Priority.CONFIRMED)
    ]
    await eventually(lambda: len(engine.core.asked) == 4)
    assert sorted(request.priority for request in engine.core.asked) == [
        Priority.CONFIRMED,
        Priority.SPECULATIVE,
        Priority.SPECULATIVE,
        Priority.BACKGROUND,
    ]
    for stream in streams:
        await stream.aclose()
    await eventually(lambda: not engine.core.running)


async def test_warming_computes_the_system_message_and_prefilling_the_call_so_far(engine: ScriptedTokenLlm) -> None:
    await engine.warm_prefix(replace(HELLO, tenant="north"))
    await engine.prefill(replace(HELLO, temperature=1.0))
    warmed, prefilled = engine.core.asked
    assert (warmed.max_tokens, warmed.priority, warmed.tenant) == (1, Priority.BACKGROUND, "north")
    assert (prefilled.max_tokens, prefilled.priority, prefilled.temperature) == (1, Priority.SPECULATIVE, 0.0)


async def test_prefilling_can_be_switched_off() -> None:
    engine = ScriptedTokenLlm(LANGUAGE_MODEL / "hf", context_tokens=512, places=1, speculative_prefill=False)
    engine.load()
    await engine.prefill(HELLO)
    assert engine.core.asked == []
    engine.close()


async def test_a_closed_engine_says_so(engine: ScriptedTokenLlm) -> None:
    engine.shut_the_gate()
    stream = engine.open(HELLO)
    await eventually(lambda: engine.core.running)
    core = engine.core
    engine.close()
    engine.close()
    assert core.is_closed
    with pytest.raises(EngineDied):
        _ = [event async for event in stream]
    for use in (engine.check, lambda: engine.open(HELLO)):
        with pytest.raises(EngineDied, match="not loaded"):
            use()


def test_what_cannot_start_leaves_no_thread_behind() -> None:
    engine = ScriptedTokenLlm(LANGUAGE_MODEL / "hf", context_tokens=512, places=1, speculative_prefill=True)
    engine.refusal = EngineLoadFailed("no")
    with pytest.raises(EngineLoadFailed, match="no"):
        engine.load()
    assert "scripted" not in {thread.name for thread in threading.enumerate()}


def test_a_check_that_takes_too_long_is_a_death(engine: ScriptedTokenLlm) -> None:
    engine.check()
    engine.warm_up()
    engine.shut_the_gate()
    with pytest.raises(EngineDied):
        engine.check()
