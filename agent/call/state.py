"""How events change the state of a call. Pure.

While a call lasts it is one of nine combinations:

                       the agent: has nothing to say    prepares an answer    speaks
    the caller: is silent         LISTENING             ANSWERING             AGENT_SPEAKING
                speaks            CALLER_SPEAKING       CALLER_ADDING         OVERLAP
                has stopped       TURN_OPEN             CALLER_ADDED          TALKED_OVER
"""

from collections.abc import Mapping

from agent.call.events import (
    AgentIdle,
    AgentStartedSpeaking,
    AgentStoppedSpeaking,
    CallBegan,
    CallEnded,
    CallerStartedSpeaking,
    CallerStoppedSpeaking,
    CallState,
    HangingUp,
    Payload,
    TurnOver,
)

_LEAVING: Mapping[type, CallState] = {HangingUp: CallState.HANGING_UP, CallEnded: CallState.ENDED}

TRANSITIONS: Mapping[CallState, Mapping[type, CallState]] = {
    CallState.CONNECTING: {CallBegan: CallState.LISTENING, **_LEAVING},
    CallState.LISTENING: {
        CallerStartedSpeaking: CallState.CALLER_SPEAKING,
        TurnOver: CallState.ANSWERING,  # typed, or spoken so softly that the VAD missed it
        AgentStartedSpeaking: CallState.AGENT_SPEAKING,
        **_LEAVING,
    },
    CallState.CALLER_SPEAKING: {
        CallerStoppedSpeaking: CallState.TURN_OPEN,
        TurnOver: CallState.ANSWERING,
        AgentStartedSpeaking: CallState.OVERLAP,
        **_LEAVING,
    },
    CallState.TURN_OPEN: {
        CallerStartedSpeaking: CallState.CALLER_SPEAKING,
        TurnOver: CallState.ANSWERING,
        AgentStartedSpeaking: CallState.AGENT_SPEAKING,  # an apology, or a request to repeat: the turn is given up
        **_LEAVING,
    },
    CallState.ANSWERING: {
        CallerStartedSpeaking: CallState.CALLER_ADDING,
        AgentStartedSpeaking: CallState.AGENT_SPEAKING,
        AgentIdle: CallState.LISTENING,
        **_LEAVING,
    },
    CallState.CALLER_ADDING: {
        CallerStoppedSpeaking: CallState.CALLER_ADDED,
        TurnOver: CallState.ANSWERING,
        AgentStartedSpeaking: CallState.OVERLAP,
        AgentIdle: CallState.CALLER_SPEAKING,
        **_LEAVING,
    },
    CallState.CALLER_ADDED: {
        CallerStartedSpeaking: CallState.CALLER_ADDING,
        TurnOver: CallState.ANSWERING,
        AgentStartedSpeaking: CallState.TALKED_OVER,
        AgentIdle: CallState.TURN_OPEN,
        **_LEAVING,
    },
    CallState.AGENT_SPEAKING: {
        CallerStartedSpeaking: CallState.OVERLAP,
        AgentStoppedSpeaking: CallState.LISTENING,
        TurnOver: CallState.ANSWERING,
        **_LEAVING,
    },
    CallState.OVERLAP: {
        CallerStoppedSpeaking: CallState.TALKED_OVER,
        AgentStoppedSpeaking: CallState.CALLER_SPEAKING,
        TurnOver: CallState.ANSWERING,
        **_LEAVING,
    },
    CallState.TALKED_OVER: {
        CallerStartedSpeaking: CallState.OVERLAP,
        AgentStoppedSpeaking: CallState.TURN_OPEN,
        TurnOver: CallState.ANSWERING,
        **_LEAVING,
    },
    CallState.HANGING_UP: {CallEnded: CallState.ENDED},
    CallState.ENDED: {},
}
"""For each state, the events that change it. All others leave it as it is."""


def next_state(state: CallState, payload: Payload) -> CallState:
    """The state of the call after this event."""
    return TRANSITIONS[state].get(type(payload), state)
