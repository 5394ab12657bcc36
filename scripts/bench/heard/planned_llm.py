"""A language model that says what a plan says when the plan has something to say, and else what the real one does."""

import json
from collections import deque
from collections.abc import AsyncIterator

from serving.chat import ChatEvent, ChatRequest, TextDelta, ToolCall, Usage
from serving.engine import LlmEngine, LlmStream

REFILL = ToolCall("planned", "request_refill", json.dumps({"name": "James Wilson", "medication": "metformin"}))


class PlannedLlm:
    """Stands before the engine that all calls share; one for a call."""

    def __init__(self, engine: LlmEngine) -> None:
        self._engine = engine
        self._planned: deque[tuple[ChatEvent, ...]] = deque()

    def plan(self, before: str, after: str) -> None:
        """The next reply says `before` and calls a tool; the one that gets its result says `after`."""
        self._planned.extend([(TextDelta(before), REFILL), (TextDelta(after),)])

    def forget(self) -> None:
        """What was planned and not asked for is not said."""
        self._planned.clear()

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)

    def open(self, request: ChatRequest) -> LlmStream:
        """A planned reply, if one waits."""
        return _PlannedStream(self._planned.popleft()) if self._planned else self._engine.open(request)


class _PlannedStream:
    def __init__(self, events: tuple[ChatEvent, ...]) -> None:
        self._events = events

    async def __aiter__(self) -> AsyncIterator[ChatEvent]:
        for event in (*self._events, Usage(1, 0, 1, 0.0)):
            yield event

    async def aclose(self) -> None:
        """Nothing is computed."""
