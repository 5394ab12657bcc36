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
        self._timer: asyncio.TimerHandle | None = None
        """Set during a silence."""
        events.react(self._react)

    def _react(self, payload: Payload) -> None:
        match payload:
            case StateChanged(state) if state in QUIET:
                if self._timer is None:
                    self._set(FIRST_S, FIRST_S)
            case StateChanged() | CallEnded():
                if self._timer is not None:
                    self._timer.cancel()
                    self._timer = None

    def _set(self, left_s: float, duration_s: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(left_s, self._tell, duration_s)

    def _tell(self, duration_s: float) -> None:
        self._set(duration_s, 2 * duration_s)  # first, because a reaction to Silence may end it
        self._events.publish(Silence(duration_s))
