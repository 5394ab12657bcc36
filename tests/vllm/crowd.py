"""Many replies at once: however fast the machine, some are still incomplete when the first word arrives."""

import asyncio
from collections.abc import Sequence

from serving.chat import ChatEvent
from serving.engine import LlmEngine
from serving.errors import EngineDied
from tests.contract.llm_suite import LONG, SATURDAY, ask, reply, spoken

SIZE = 32


async def crowd(engine: LlmEngine) -> "list[asyncio.Task[list[ChatEvent]]]":
    """Replies that are being generated or waiting; at least one has begun."""
    replies = [asyncio.create_task(reply(engine, ask(LONG))) for _ in range(SIZE)]
    await anext(aiter(engine.open(ask(LONG))))
    return replies


async def deaths(replies: "Sequence[asyncio.Task[list[ChatEvent]]]") -> list[str]:
    """Why replies ended early. Asserts that the others are complete."""
    ends = await asyncio.gather(*replies, return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException) and not isinstance(end, EngineDied):
            raise end
    assert all(spoken(end).startswith(SATURDAY) for end in ends if not isinstance(end, BaseException))
    return [str(end) for end in ends if isinstance(end, BaseException)]
