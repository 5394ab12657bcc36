"""One reply of the agent's between its announcement and its end: what its stages ask and tell about it."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Protocol

from livekit.agents.voice import SpeechHandle

from agent.replies.speculation_policy import Refusal
from serving.demand import Demand

_REPLY: ContextVar["Reply | None"] = ContextVar("callbox_reply", default=None)
"""LiveKit runs everything about a reply in tasks that descend from where it announced the reply."""


class ReplyKeeper(Protocol):
    """Who rules over the replies of a call."""

    demand: Demand
    """What the engines are asked for."""

    def computing(self) -> AbstractContextManager[None]:
        """A reply of this call is being computed, inside."""
        ...

    async def may_begin(self, reply: "Reply") -> None:
        """Wait until `reply` may be computed: at the latest when it is to be spoken."""
        ...

    def worked(self, reply: "Reply", tokens: int, audio_s: float) -> None:
        """So much more was computed for `reply`."""
        ...


def take_in_hand(reply: "Reply") -> None:
    """The tasks that are started from here on work on `reply`."""
    _REPLY.set(reply)


def reply_in_hand() -> "Reply | None":
    """The reply that the running task works on; None outside of a session."""
    return _REPLY.get()


class Reply:
    """One reply, from its announcement until it was spoken or thrown away. Belongs to the event loop of its call."""

    def __init__(self, handle: SpeechHandle, keeper: ReplyKeeper, *, is_awaited: bool) -> None:
        """`is_awaited`: once its turn is over somebody waits for it to be computed."""
        self.handle = handle
        self.is_awaited = is_awaited
        self.asked_at: float | None = None
        """When the language model's adapter first wanted to begin it, loop time."""
        self.begun_at: float | None = None
        """When it was begun ahead of its turn's end, loop time; None if it was not."""
        self.tokens_ahead: int | None = None
        """How many tokens it may have before its turn is over, if it was begun ahead."""
        self.sounded_at: float | None = None
        """When its first sound was there, loop time."""
        self.tokens = 0
        self.audio_s = 0.0
        self.put_off: set[Refusal] = set()
        self.is_wasted: bool | None = None
        """None while nobody knows."""
        self.is_computing = False
        self.turn_over: Future[None] = Future()
        """Done once it is to be spoken; for engines, in any thread."""
        self._keeper = keeper
        self._confirmed = asyncio.Event()

    @property
    def is_confirmed(self) -> bool:
        """Whether it will be spoken: its turn is over, or it answers none."""
        return self.handle.scheduled

    @property
    def is_given_up(self) -> bool:
        """Whether it will never be spoken, and is about to be closed."""
        return self.is_wasted is True or self.handle.interrupted

    @property
    def is_held(self) -> bool:
        """Whether it has all that it may have before its turn is over."""
        return not self.is_confirmed and self.tokens_ahead is not None and self.tokens >= self.tokens_ahead

    async def may_begin(self) -> None:
        """Wait until computing it is allowed."""
        await self._keeper.may_begin(self)

    async def confirmed(self) -> None:
        """Wait until it is to be spoken."""
        while not self.is_confirmed:
            await self._confirmed.wait()

    def confirm(self) -> None:
        """It is to be spoken."""
        self._confirmed.set()
        if not self.turn_over.done():
            self.turn_over.set_result(None)

    @contextmanager
    def computing(self) -> Iterator[None]:
        """The language model is at work on it, inside."""
        with self._keeper.computing():
            self.is_computing = True
            try:
                yield
            finally:
                self.is_computing = False

    def wrote(self, tokens: int) -> None:
        """The language model has generated so many tokens more."""
        self.tokens += tokens
        self._keeper.worked(self, tokens, 0.0)

    def sounded(self, audio_s: float) -> None:
        """The voice has synthesized so many seconds more."""
        if self.sounded_at is None:
            self.sounded_at = asyncio.get_running_loop().time()
            self._keeper.demand.answered(self)
        self.audio_s += audio_s
        self._keeper.worked(self, 0, audio_s)
