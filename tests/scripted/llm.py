"""A scripted language model."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from serving.chat import ChatEvent, ChatRequest, TextDelta, ToolCall, Usage
from serving.errors import EngineDied
from serving.llm.admission import until_done
from tests.scripted.engine import ScriptedEngine

Answer = Callable[[ChatRequest], Sequence[TextDelta | ToolCall]]
"""A model's answer to a request."""


@dataclass(slots=True)
class ScriptedReply:
    """The record of one reply."""

    request: ChatRequest
    opened_at: float
    """Loop time, seconds."""
    sent: list[ChatEvent] = field(default_factory=list)
    is_complete: bool = False
    closed_at: float | None = None
    """Loop time at which it was closed."""


class ScriptedLlm(ScriptedEngine):
    """Streams what `answer` returns, token by token."""

    name = "llm"
    reads_ahead = True

    def __init__(self, answer: Answer, *, ttft_s: float = 0.1, token_s: float = 0.01) -> None:
        super().__init__()
        self.answer = answer
        self.ttft_s = ttft_s
        self.token_s = token_s
        self.replies: list[ScriptedReply] = []
        self.warmed: list[ChatRequest] = []
        self.prefilled: list[ChatRequest] = []

    def open(self, request: ChatRequest) -> "_ScriptedLlmStream":
        if self.is_dead:
            raise EngineDied("The llm engine is dead.")
        self.replies.append(ScriptedReply(request, asyncio.get_running_loop().time()))
        return _ScriptedLlmStream(self, self.replies[-1])

    async def warm_prefix(self, request: ChatRequest) -> None:
        self.warmed.append(request)

    async def prefill(self, request: ChatRequest) -> None:
        self.prefilled.append(request)
        if self.is_dead:
            raise EngineDied("The llm engine is dead.")


class _ScriptedLlmStream:
    def __init__(self, engine: ScriptedLlm, reply: ScriptedReply) -> None:
        self._engine = engine
        self._reply = reply

    async def __aiter__(self) -> AsyncIterator[ChatEvent]:
        engine, reply = self._engine, self._reply
        error = engine.failure()
        await asyncio.sleep(engine.ttft_s)
        if error is not None:
            raise error
        for event in [*engine.answer(reply.request), Usage(len(reply.request.messages), 0, 1, engine.ttft_s)]:
            ahead, confirmed = reply.request.tokens_ahead, reply.request.confirmed
            if confirmed is not None and ahead is not None and len(reply.sent) >= ahead:
                await until_done(confirmed)
            reply.sent.append(event)
            yield event
            await asyncio.sleep(engine.token_s)
        reply.is_complete = True

    async def aclose(self) -> None:
        self._reply.closed_at = asyncio.get_running_loop().time()


def tokens(text: str) -> list[TextDelta]:
    """A text as a model streams it: word by word."""
    words = text.split(" ")
    return [TextDelta(word if at == 0 else f" {word}") for at, word in enumerate(words)]
