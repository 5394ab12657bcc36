"""The state of a call."""

from dataclasses import dataclass
from enum import Enum


class CallState(Enum):
    """Who has the floor. Derived from the events by the table in agent/call/state.py."""

    CONNECTING = "connecting"
    """The agent is not in the room yet."""
    LISTENING = "listening"
    """Both are silent, and nothing awaits an answer."""
    CALLER_SPEAKING = "caller_speaking"
    TURN_OPEN = "turn_open"
    """The caller is silent, but their turn may not be over."""
    ANSWERING = "answering"
    """The turn is over; the answer has not sounded yet."""
    CALLER_ADDING = "caller_adding"
    """The caller speaks again before the answer has sounded."""
    CALLER_ADDED = "caller_added"
    """The caller has spoken again and stopped, and the answer has still not sounded."""
    AGENT_SPEAKING = "agent_speaking"
    """A reply is being played, or is held in a pause."""
    OVERLAP = "overlap"
    """The caller speaks over the agent."""
    TALKED_OVER = "talked_over"
    """The agent is still speaking after the caller has said something over it: a turn, or only a backchannel."""
    HANGING_UP = "hanging_up"
    """The agent has said its last words."""
    ENDED = "ended"

    @property
    def agent_is_speaking(self) -> bool:
        """Whether a reply is being played, or is held in a pause."""
        return self in _AGENT_SPEAKS

    @property
    def caller_is_speaking(self) -> bool:
        """Whether the VAD hears the caller."""
        return self in _CALLER_SPEAKS

    @property
    def answer_is_pending(self) -> bool:
        """Whether a turn is over whose answer has not sounded yet."""
        return self in _ANSWER_PENDING

    @property
    def turn_is_open(self) -> bool:
        """Whether the caller has said something that may become a turn."""
        return self in _TURN_OPEN


_AGENT_SPEAKS = frozenset({CallState.AGENT_SPEAKING, CallState.OVERLAP, CallState.TALKED_OVER})
_ANSWER_PENDING = frozenset({CallState.ANSWERING, CallState.CALLER_ADDING, CallState.CALLER_ADDED})
_CALLER_SPEAKS = frozenset({CallState.CALLER_SPEAKING, CallState.CALLER_ADDING, CallState.OVERLAP})
_TURN_OPEN = _CALLER_SPEAKS | {CallState.TURN_OPEN, CallState.CALLER_ADDED, CallState.TALKED_OVER}


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The call has entered another state."""

    state: CallState
