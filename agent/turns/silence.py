"""Publishes how long neither side of a call has made a sound."""

import asyncio

from agent.call.events import CallEnded, CallState, Payload, Silence, StateChanged
from agent.call.stream import EventStream

FIRST_S = 5.0
"""A silence is published after this long, and again each time its length has doubled."""
QUIET = (CallState.LISTENING, CallState.TURN_OPEN)


class SilenceClock:
    """Reacts to a call's events by publishing Silence."""

    def __init__(self, events: EventStream) -> None:
        self._events = events
        self._quiet_since_s: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        events.react(self._react)

    def _react(self, payload: Payload) -> None:
        match payload:
            case StateChanged(state) if state in QUIET:
                if self._quiet_since_s is None:
                    self._quiet_since_s = self._events.now_s
                    self._set(FIRST_S)
            case StateChanged() | CallEnded():
                self._quiet_since_s = None
                self._stop()

    def _set(self, duration_s: float) -> None:
        loop, left_s = asyncio.get_running_loop(), duration_s
        if self._quiet_since_s is not None:
            left_s -= self._events.now_s - self._quiet_since_s
        self._timer = loop.call_later(max(0.0, left_s), self._tell, duration_s)

    def _tell(self, duration_s: float) -> None:
        self._events.publish(Silence(duration_s))
        self._set(2 * duration_s)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
