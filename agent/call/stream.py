"""The stream of a call's events: published where they happen, read by any number of subscribers.

There are two kinds of readers. The conversation itself reacts at once, inside `publish`. Everything else subscribes: each
subscriber has its own bounded queue and its own task. One that is slow, stuck or failing loses events, which are counted, and
never holds up the call.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from agent.call.events import CallEnded, CallEvent, CallState, Payload, PublicPayload, StateChanged, is_public
from agent.call.state import next_state
from serving import metrics

logger = logging.getLogger("callbox.call")

CAPACITY = 512
"""How many events may wait for one subscriber. A lively call publishes about 20 a second."""

Handle = Callable[[CallEvent[Payload]], Awaitable[None]]
HandlePublic = Callable[[CallEvent[PublicPayload]], Awaitable[None]]
React = Callable[[Payload], None]
Attachment = Callable[["EventStream"], object]
"""Attaches something to a call by subscribing to it. Called before the call's first event, on the call's event loop."""


class Subscription:
    """One subscriber's queue, and the task that empties it."""

    def __init__(self, name: str, handle: Callable[[Any], Awaitable[None]], *, public: bool, capacity: int) -> None:
        self.name = name
        self.lost = 0
        """Events that were dropped because the queue was full."""
        self._handle = handle
        self._public = public
        self._queue: asyncio.Queue[CallEvent[Payload]] = asyncio.Queue(capacity)
        self._reading = asyncio.create_task(self._read(), name=f"call events: {name}")

    def offer(self, event: CallEvent[Payload]) -> None:
        """Queue an event, if the subscriber may have it and there is room."""
        if self._public and not is_public(event):
            return
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            self.lost += 1
            metrics.CALL_EVENTS_LOST.labels(self.name).inc()

    async def drained(self) -> None:
        """Wait until everything queued so far has been handled."""
        await self._queue.join()

    async def aclose(self) -> None:
        """Stop reading; what is still queued is dropped."""
        self._reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reading

    async def _read(self) -> None:
        while True:
            event = await self._queue.get()
            try:
                await self._handle(event)
            except Exception as error:  # noqa: BLE001 - a subscriber's mistake must not end the call
                logger.warning("%s failed to handle an event: %s", self.name, type(error).__name__)
                metrics.CALL_EVENTS_FAILED.labels(self.name).inc()
            finally:
                self._queue.task_done()


class EventStream:
    """The events of one call and its state. Belongs to the call's event loop."""

    def __init__(self, call_id: str, loop: asyncio.AbstractEventLoop) -> None:
        self.call_id = call_id
        self.state = CallState.CONNECTING
        self._loop = loop
        self._began_at = time.monotonic()
        self._reactions: list[React] = []
        self._subscriptions: list[Subscription] = []

    @property
    def now_s(self) -> float:
        """Seconds since the call began."""
        return time.monotonic() - self._began_at

    def react(self, react: React) -> None:
        """Call `react` inside every `publish`, after those registered before it. For the conversation only: it must return at
        once."""
        self._reactions.append(react)

    def subscribe(self, name: str, handle: Handle, *, capacity: int = CAPACITY) -> Subscription:
        """Await `handle` for every event from now on, one at a time."""
        return self._add(Subscription(name, handle, public=False, capacity=capacity))

    def subscribe_public(self, name: str, handle: HandlePublic, *, capacity: int = CAPACITY) -> Subscription:
        """The same without confidential events: for logs and metrics."""
        return self._add(Subscription(name, handle, public=True, capacity=capacity))

    def publish(self, payload: Payload) -> None:
        """Offer an event to every subscriber, update the state, and let the conversation react. Never waits. Does nothing after
        CallEnded."""
        if self.state is CallState.ENDED:
            return
        if isinstance(payload, CallEnded):
            self._react(payload)  # first, so that what is dropped now is published before the end
            self.state = CallState.ENDED
            self._offer(payload)
            return
        before, after = self.state, next_state(self.state, payload)
        self.state = after
        has_changed = after is not before
        self._offer(payload)
        if has_changed:
            self._offer(StateChanged(after))
        self._react(payload)
        if has_changed and self.state is after:  # otherwise a reaction has changed it again, and has published that
            self._react(StateChanged(after))

    def publish_threadsafe(self, payload: Payload) -> None:
        """`publish` from any thread. Lost if the call is over."""
        with contextlib.suppress(RuntimeError):  # its loop is closed
            self._loop.call_soon_threadsafe(self.publish, payload)

    async def drained(self, within_s: float) -> None:
        """Wait until every subscriber has handled what was published, at most `within_s`."""
        waiting = [asyncio.create_task(subscription.drained()) for subscription in self._subscriptions]
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=within_s)
            for task in late:
                task.cancel()

    async def aclose(self, within_s: float = 1.0) -> None:
        """The call has ended: let subscribers finish, for at most `within_s`."""
        await self.drained(within_s)
        for subscription in self._subscriptions:
            await subscription.aclose()

    def _offer(self, payload: Payload) -> None:
        event = CallEvent(self.call_id, self.now_s, payload)
        for subscription in self._subscriptions:
            subscription.offer(event)

    def _react(self, payload: Payload) -> None:
        for react in self._reactions:
            react(payload)

    def _add(self, subscription: Subscription) -> Subscription:
        self._subscriptions.append(subscription)
        return subscription
