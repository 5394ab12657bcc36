"""One reply of the agent from its announcement to its end: what its stages ask about it and report."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from enum import Enum
from typing import Any, Protocol

from agent.call.events import Refusal
from serving.demand import Demand


class Speech(Protocol):
    """LiveKit's handle on a reply."""

    @property
    def id(self) -> str:
        """Identifies the reply in the call's events."""
        ...

    @property
    def scheduled(self) -> bool:
        """Whether it will be spoken: its turn is over, or it does not answer a turn."""
        ...

    @property
    def interrupted(self) -> bool:
        """Whether it was interrupted or thrown away."""
        ...

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Call `callback` once the reply is completely finished."""
        ...


class ReplyControl(Protocol):
    """Controls a call's replies."""

    demand: Demand
    """The load on the engines, over all calls."""

    def computing(self) -> AbstractContextManager[None]:
        """Count a reply of this call as being computed, inside the context."""
        ...

    async def wait_to_begin(self, reply: "Reply") -> None:
        """Wait until `reply` may be computed: when it is due to be spoken, at the latest."""
        ...


class Fate(Enum):
    """What became of a reply."""

    OPEN = "open"
    """Not known yet: its turn may not be over."""
    SPOKEN = "spoken"
    DROPPED = "dropped"


class Reply:
    """One reply, from its announcement until it is spoken or dropped. Belongs to its call's event loop."""

    def __init__(self, speech: Speech, control: ReplyControl, *, is_awaited: bool) -> None:
        """`is_awaited`: whether the caller waits for it to be computed once the turn is over."""
        self.speech = speech
        self.is_awaited = is_awaited
        self.fate = Fate.OPEN
        self.asked_at: float | None = None
        """When the language model's adapter first asked to start it, in loop time."""
        self.begun_at: float | None = None
        """When it started before the end of its turn, in loop time; None if it did not."""
        self.tokens_ahead: int | None = None
        """How many tokens may be generated before its turn is over; None unless it started early."""
        self.sounded_at: float | None = None
        """When its first sound was ready, in loop time."""
        self.tokens = 0
        self.audio_s = 0.0
        self.published_tokens = 0
        self.published_audio_s = 0.0
        """How much of that was published in ReplyComputed events."""
        self.put_off: set[Refusal] = set()
        self.is_computing = False
        self.turn_over: Future[None] = Future()
        """Done once it is due to be spoken. Engines may wait for it on any thread."""
        self._control = control
        self._confirmed = asyncio.Event()

    @property
    def id(self) -> str:
        """Identifies the reply in the call's events."""
        return self.speech.id

    @property
    def is_confirmed(self) -> bool:
        """Whether it will be spoken: its turn is over, or it does not answer a turn."""
        return self.speech.scheduled

    @property
    def is_given_up(self) -> bool:
        """Whether it will never be spoken and is about to be closed."""
        return self.fate is Fate.DROPPED or self.speech.interrupted

    @property
    def is_held(self) -> bool:
        """Whether it has reached its limit and waits for its turn to be over."""
        return not self.is_confirmed and self.tokens_ahead is not None and self.tokens >= self.tokens_ahead

    async def wait_to_begin(self) -> None:
        """Wait until it may be computed."""
        await self._control.wait_to_begin(self)

    async def wait_until_confirmed(self) -> None:
        """Wait until it is due to be spoken."""
        while not self.is_confirmed:
            await self._confirmed.wait()

    def confirm(self) -> None:
        """Mark it as due to be spoken."""
        self._confirmed.set()
        if not self.turn_over.done():
            self.turn_over.set_result(None)

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Mark it as being generated, inside the context."""
        with self._control.computing():
            self.is_computing = True
            try:
                yield
            finally:
                self.is_computing = False

    def add_tokens(self, tokens: int) -> None:
        """The language model has generated this many more tokens."""
        self.tokens += tokens

    def add_audio(self, audio_s: float) -> None:
        """The voice has synthesized this many more seconds."""
        if self.sounded_at is None:
            self.sounded_at = asyncio.get_running_loop().time()
            self._control.demand.answered(self)
        self.audio_s += audio_s
