"""An event loop whose clock jumps to the next timer: conversations of minutes pass at once and deterministically.

    @in_virtual_time
    async def test_something() -> None: ...

Inside, `time.time`, `time.monotonic` and `time.perf_counter` follow the loop's clock. They start from different values, so
that code that mixes them up fails.
"""

import asyncio
import functools
import selectors
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec

import pytest
from livekit.agents.llm import chat_context

P = ParamSpec("P")

LOOP_STARTS_AT_S = 1_000.0
"""Not 0, which some code treats as "not set"."""
WALL_AHEAD_S = 1_000_000.0
COUNTER_AHEAD_S = 5_000.0
MAX_TEST_S = 1_800.0
"""Virtual seconds after which a test fails."""
STUCK_AFTER_S = 10.0
"""Real seconds that the loop waits for another thread when nothing is scheduled."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Event loop in which sleeping takes no real time."""

    def __init__(self) -> None:
        self.now_s = LOOP_STARTS_AT_S
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        return self.now_s


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0 if timeout is not None else STUCK_AFTER_S)
        if not ready and timeout is None:
            raise RuntimeError("Nothing is scheduled and no other thread called in: this would wait forever.")
        if not ready and timeout is not None:
            self._loop.now_s += timeout
        return ready


def in_virtual_time(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run a coroutine test on its own VirtualTimeLoop."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        loop = VirtualTimeLoop()
        with clocks_follow(loop), asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(asyncio.wait_for(test(*args, **kwargs), MAX_TEST_S))

    return run


@contextmanager
def clocks_follow(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Make the `time` module's clocks follow the loop's."""
    _bind_chat_clock_late()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", lambda: loop.time() + WALL_AHEAD_S)
        patch.setattr(time, "time_ns", lambda: int((loop.time() + WALL_AHEAD_S) * 1e9))
        patch.setattr(time, "monotonic", loop.time)
        patch.setattr(time, "perf_counter", lambda: loop.time() + COUNTER_AHEAD_S)
        yield


@functools.cache
def _bind_chat_clock_late() -> None:
    """LiveKit orders a history by timestamps from a reference to `time.time` bound at import; look it up at each call instead."""
    for item in vars(chat_context).values():
        fields = getattr(item, "model_fields", {})
        if isinstance(item, type) and "created_at" in fields:
            fields["created_at"].default_factory = lambda: time.time()
            item.model_rebuild(force=True)  # type: ignore[attr-defined]
