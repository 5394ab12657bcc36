"""A language model with the words of the demo Llama and the pace of a large one. Only for measuring.

The large one has random weights and runs on vLLM, with the real prompts, prefix cache, priorities and aborts. Each token that it
generates is replaced by one from the demo Llama, which writes the same reply on the CPU meanwhile. So a call goes as in the
demo, and is answered when the large model would answer it.
"""

import json
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from serving.chat import ChatEvent, ChatRequest, TextDelta, ToolCall
from serving.llm.ctranslate2 import CTranslate2Llm, CTranslate2LlmOptions
from serving.llm.token_engine import Bunch, Core
from serving.llm.vllm import VllmLlm
from serving.llm.vllm_options import VllmOptions
from serving.llm.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class PacedOptions(VllmOptions):
    """Options of the large model."""

    shape_dir: Path = Path()
    """Its folder (llama_shape.py), with the demo's tokenizer."""


class PacedVllm(VllmLlm):
    """`model_dir` holds the demo Llama, converted for CTranslate2."""

    name = "paced-vllm"

    def __init__(self, options: PacedOptions, model_dir: Path) -> None:
        super().__init__(options, options.shape_dir)
        self._words = CTranslate2Llm(CTranslate2LlmOptions(), model_dir)

    def load(self) -> None:
        """Load both models."""
        self._words.load()
        self._words.warm_up()
        super().load()

    def close(self) -> None:
        """Close both models."""
        super().close()
        self._words.close()

    async def _start(self, vocabulary: Vocabulary) -> Core:  # type: ignore[override]  # wrapped, it is no AsyncLLM any more
        return _PacedCore(await super()._start(vocabulary), self._words, vocabulary)


class _PacedCore:
    """A Core that hands out words at the pace of another one's tokens."""

    def __init__(self, pace: Core, words: CTranslate2Llm, vocabulary: Vocabulary) -> None:
        self._pace = pace
        self._words = words
        self._vocabulary = vocabulary

    async def generate(self, request: ChatRequest, ids: list[int]) -> AsyncGenerator[Bunch, None]:
        """The demo's tokens, each no sooner than one of the large model, with that one's count of cached tokens."""
        async with aclosing(self._pace.generate(request, ids)) as bunches:
            if request.max_tokens == 1:  # a prefill has no output
                async for bunch in bunches:
                    yield bunch
                return
            stream = self._words.open(request)
            try:
                tokens = self._tokens(aiter(stream))
                async for bunch in bunches:
                    said = [token for _ in bunch.token_ids if (token := await anext(tokens, None)) is not None]
                    yield Bunch(said, bunch.cached_tokens)
                    if len(said) < len(bunch.token_ids):
                        return
            finally:
                await stream.aclose()

    async def aclose(self) -> None:
        """Close the large one; the demo's belongs to the engine."""
        await self._pace.aclose()

    async def _tokens(self, events: AsyncIterator[ChatEvent]) -> AsyncIterator[int]:
        """The tokens of the demo's reply, then the one that ends it."""
        waiting: deque[int] = deque()
        async for event in events:
            waiting.extend(self._vocabulary.tokenizer.encode(_text(event), add_special_tokens=False).ids)
            while waiting:
                yield waiting.popleft()
        yield min(self._vocabulary.stop_ids)


def _text(event: ChatEvent) -> str:
    """The event's text as the model wrote it."""
    if isinstance(event, ToolCall):
        return json.dumps({"name": event.name, "parameters": json.loads(event.arguments)})
    return event.text if isinstance(event, TextDelta) else ""
