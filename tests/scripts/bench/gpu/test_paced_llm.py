"""The demo Llama's words at another model's pace; the pace is scripted here, since the real one needs vLLM."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator

import pytest

from scripts.bench.gpu.paced_llm import _PacedCore
from serving.chat import ChatRequest, TextDelta, ToolCall
from serving.llm.ctranslate2 import CTranslate2Llm, CTranslate2LlmOptions
from serving.llm.token_engine import Bunch, Core, TokenLlm
from serving.llm.vocabulary import Vocabulary
from tests.contract.llm_suite import LANGUAGE_MODEL, LONG, SATURDAY, ask, reply, spoken, usage

pytestmark = pytest.mark.unit

CACHED_TOKENS = 304


class Pace:
    """Hands out meaningless tokens as fast as it may."""

    def __init__(self) -> None:
        self.made = 0
        self.closed = 0
        self.allowed = asyncio.Event()
        self.allowed.set()

    async def generate(self, request: ChatRequest, ids: list[int]) -> AsyncGenerator[Bunch, None]:
        try:
            for _ in range(request.max_tokens):
                await self.allowed.wait()
                self.made += 1
                yield Bunch([7], CACHED_TOKENS)
                await asyncio.sleep(0)
        finally:
            self.closed += 1

    async def aclose(self) -> None:
        """Nothing to free."""


class PacedLlm(TokenLlm):
    """The engine of every model that runs on a Core."""

    name = "paced"

    def __init__(self, words: CTranslate2Llm) -> None:
        super().__init__(LANGUAGE_MODEL / "hf", context_tokens=2048, places=4, speculative_prefill=True)
        self._words = words
        self.pace: Pace

    async def _start(self, vocabulary: Vocabulary) -> Core:
        self.pace = Pace()
        return _PacedCore(self.pace, self._words, vocabulary)


@pytest.fixture(scope="module")
def words() -> Iterator[CTranslate2Llm]:
    engine = CTranslate2Llm(CTranslate2LlmOptions(), LANGUAGE_MODEL / "ct2")
    engine.load()
    yield engine
    engine.close()


@pytest.fixture
async def paced(words: CTranslate2Llm) -> AsyncIterator[PacedLlm]:
    engine = PacedLlm(words)
    engine.load()
    yield engine
    engine.close()


@pytest.mark.parametrize("question", [LONG, "where can i park", "thank you goodbye"])
async def test_it_says_what_the_demo_says(paced: PacedLlm, words: CTranslate2Llm, question: str) -> None:
    found = await reply(paced, ask(question))
    assert spoken(found) == spoken(await reply(words, ask(question)))
    assert usage(found).cached_tokens == CACHED_TOKENS
    assert paced.pace.closed == 1


async def test_it_calls_the_tools_that_the_demo_calls(paced: PacedLlm, words: CTranslate2Llm) -> None:
    question = ask("is there a time with doctor chen next tuesday")
    ours, theirs = (await reply(paced, question))[0], (await reply(words, question))[0]
    assert isinstance(ours, ToolCall)
    assert isinstance(theirs, ToolCall)
    assert (ours.name, ours.arguments) == (theirs.name, theirs.arguments)


async def test_no_token_comes_before_one_of_the_pace(paced: PacedLlm) -> None:
    paced.pace.allowed.clear()
    events = aiter(paced.open(ask(LONG)))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(events), timeout=0.3)


async def test_a_prefill_speaks_to_the_pace_alone(paced: PacedLlm) -> None:
    await paced.prefill(ask("what are your"))
    assert paced.pace.made == 1


async def test_each_token_of_the_reply_has_one_of_the_pace(paced: PacedLlm) -> None:
    found = await reply(paced, ask(LONG))
    assert spoken(found).startswith(SATURDAY)
    assert usage(found).completion_tokens <= paced.pace.made <= usage(found).completion_tokens + 2
    assert sum(isinstance(event, TextDelta) for event in found) > 10
