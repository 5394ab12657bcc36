"""One reply of the agent's between its announcement and its end: what its stages ask and tell about it."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from enum import Enum
from typing import Any, Protocol

from agent.replies.speculation_policy import Refusal
from serving.demand import Demand


class Speech(Protocol):
    """LiveKit's handle of a reply."""

    @property
    def id(self) -> str:
        """Its name in the call's events."""
        ...

    @property
    def scheduled(self) -> bool:
        """Whether it will be spoken: its turn is over, or it answers none."""
        ...

    @property
    def interrupted(self) -> bool:
        """Whether it was cut short or thrown away."""
        ...

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Have `callback` called once everything about it is over."""
        ...


class ReplyControl(Protocol):
    """Controls a call's replies."""

    demand: Demand
    """What the engines are asked for."""

    def computing(self) -> AbstractContextManager[None]:
        """A reply of this call is being computed, inside."""
        ...

    async def may_begin(self, reply: "Reply") -> None:
        """Wait until `reply` may be computed: at the latest when it is to be spoken."""
        ...


class Fate(Enum):
    """What becomes of a reply."""

    OPEN = "open"
    """Nobody knows yet: its turn may not be over."""
    SPOKEN = "spoken"
    DROPPED = "dropped"


class Reply:
    """One reply, from its announcement until it was spoken or dropped. Belongs to the event loop of its call."""

    def __init__(self, speech: Speech, control: ReplyControl, *, is_awaited: bool) -> None:
        """`is_awaited`: once its turn is over somebody waits for it to be computed."""
        self.speech = speech
        self.is_awaited = is_awaited
        self.fate = Fate.OPEN
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
        self.is_computing = False
        self.turn_over: Future[None] = Future()
        """Done once it is to be spoken; for engines, in any thread."""
        self._control = control
        self._confirmed = asyncio.Event()

    @property
    def id(self) -> str:
        """Its name in the call's events."""
        return self.speech.id

    @property
    def is_confirmed(self) -> bool:
        """Whether it will be spoken: its turn is over, or it answers none."""
        return self.speech.scheduled

    @property
    def is_given_up(self) -> bool:
        """Whether it will never be spoken, and is about to be closed."""
        return self.fate is Fate.DROPPED or self.speech.interrupted

    @property
    def is_held(self) -> bool:
        """Whether it has all that it may have before its turn is over."""
        return not self.is_confirmed and self.tokens_ahead is not None and self.tokens >= self.tokens_ahead

    async def may_begin(self) -> None:
        """Wait until computing it is allowed."""
        await self._control.may_begin(self)

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
        with self._control.computing():
            self.is_computing = True
            try:
                yield
            finally:
                self.is_computing = False

    def wrote(self, tokens: int) -> None:
        """The language model has generated so many tokens more."""
        self.tokens += tokens

    def sounded(self, audio_s: float) -> None:
        """The voice has synthesized so many seconds more."""
        if self.sounded_at is None:
            self.sounded_at = asyncio.get_running_loop().time()
            self._control.demand.answered(self)
        self.audio_s += audio_s
