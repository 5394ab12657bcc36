"""A language model that gives planned replies while there are any, and otherwise those of the real one."""

import json
from collections import deque
from collections.abc import AsyncIterator

from serving.chat import ChatEvent, ChatRequest, TextDelta, ToolCall, Usage
from serving.engine import LlmEngine, LlmStream

REFILL = ToolCall("planned", "request_refill", json.dumps({"name": "James Wilson", "medication": "metformin"}))


class PlannedLlm:
    """Wraps the engine that all calls share; one for each call."""

    def __init__(self, engine: LlmEngine) -> None:
        self._engine = engine
        self._planned: deque[tuple[ChatEvent, ...]] = deque()

    def plan(self, before: str, after: str) -> None:
        """Plan two replies: the next one says `before` and calls a tool, the one after its result says `after`."""
        self._planned.extend([(TextDelta(before), REFILL), (TextDelta(after),)])

    def forget(self) -> None:
        """Drop the planned replies that were not requested."""
        self._planned.clear()

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)

    def open(self, request: ChatRequest) -> LlmStream:
        """The next planned reply, or one of the real engine."""
        return _PlannedStream(self._planned.popleft()) if self._planned else self._engine.open(request)


class _PlannedStream:
    def __init__(self, events: tuple[ChatEvent, ...]) -> None:
        self._events = events

    async def __aiter__(self) -> AsyncIterator[ChatEvent]:
        for event in (*self._events, Usage(1, 0, 1, 0.0)):
            yield event

    async def aclose(self) -> None:
        """Nothing is being computed."""
