"""Where a call stands, by what happens in it."""

import random
from typing import get_args

import pytest

from agent.call.events import (
    AgentIdle,
    AgentStartedSpeaking,
    AgentStoppedSpeaking,
    CallBegan,
    CallEnded,
    CallerStartedSpeaking,
    CallerStoppedSpeaking,
    CallState,
    EndReason,
    HangingUp,
    Payload,
    TurnOver,
)
from agent.call.state import TRANSITIONS, next_state

pytestmark = pytest.mark.unit

BEGAN, OVER, IDLE = CallBegan(), TurnOver(), AgentIdle()
STARTS, STOPS = CallerStartedSpeaking(), CallerStoppedSpeaking()
SPEAKS, IS_QUIET = AgentStartedSpeaking(), AgentStoppedSpeaking(is_interrupted=False)
LEAVES, ENDS = HangingUp(EndReason.AGENT_HUNG_UP), CallEnded(EndReason.CALLER_LEFT)
ALL: tuple[Payload, ...] = (BEGAN, OVER, IDLE, STARTS, STOPS, SPEAKS, IS_QUIET, LEAVES, ENDS)

S = CallState


def test_a_question_and_its_answer_run_through_their_states() -> None:
    states = [S.LISTENING, S.CALLER_SPEAKING, S.TURN_OPEN, S.ANSWERING, S.AGENT_SPEAKING, S.LISTENING]
    assert walk(S.CONNECTING, BEGAN, STARTS, STOPS, OVER, SPEAKS, IS_QUIET) == states


def walk(state: CallState, *payloads: Payload) -> list[CallState]:
    """The states after each event."""
    states = []
    for payload in payloads:
        state = next_state(state, payload)
        states.append(state)
    return states


@pytest.mark.parametrize(
    ("before", "payloads", "after"),
    [
        pytest.param(S.TURN_OPEN, [STARTS, STOPS, OVER], S.ANSWERING, id="a caller who pauses goes on with their turn"),
        pytest.param(S.CALLER_SPEAKING, [OVER, STOPS], S.ANSWERING, id="a turn may be over before the VAD hears it"),
        pytest.param(S.LISTENING, [OVER], S.ANSWERING, id="a typed turn has no sound"),
        pytest.param(S.ANSWERING, [IDLE], S.LISTENING, id="there was nothing to answer"),
        pytest.param(S.ANSWERING, [STARTS, STOPS], S.CALLER_ADDED, id="the caller adds something before the answer"),
        pytest.param(S.ANSWERING, [STARTS, STOPS, OVER], S.ANSWERING, id="what was added is answered too"),
        pytest.param(S.ANSWERING, [STARTS, STOPS, SPEAKS], S.TALKED_OVER, id="or the answer sounds anyway"),
        pytest.param(S.ANSWERING, [STARTS, IDLE], S.CALLER_SPEAKING, id="the answer is given up for what they add"),
        pytest.param(S.ANSWERING, [STARTS, STOPS, IDLE], S.TURN_OPEN, id="even if they have stopped by then"),
        pytest.param(S.ANSWERING, [STARTS, SPEAKS], S.OVERLAP, id="the answer sounds while they add something"),
        pytest.param(S.AGENT_SPEAKING, [IS_QUIET], S.LISTENING, id="the answer was said"),
        pytest.param(S.AGENT_SPEAKING, [STARTS, STOPS], S.TALKED_OVER, id="a murmur leaves the agent speaking"),
        pytest.param(
            S.AGENT_SPEAKING, [STARTS, STOPS, IS_QUIET], S.TURN_OPEN, id="what was said over it may be a turn"
        ),
        pytest.param(S.AGENT_SPEAKING, [STARTS, IS_QUIET], S.CALLER_SPEAKING, id="a barge-in stops the agent"),
        pytest.param(S.AGENT_SPEAKING, [STARTS, IS_QUIET, STOPS, OVER], S.ANSWERING, id="and is answered"),
        pytest.param(S.TALKED_OVER, [STARTS], S.OVERLAP, id="the caller says more over the agent"),
        pytest.param(S.TURN_OPEN, [SPEAKS], S.AGENT_SPEAKING, id="an apology gives the turn up"),
        pytest.param(S.CALLER_SPEAKING, [SPEAKS], S.OVERLAP, id="the agent begins while the caller speaks"),
        pytest.param(S.AGENT_SPEAKING, [IDLE], S.AGENT_SPEAKING, id="a reply held in a pause is still being spoken"),
    ],
)
def test_events_change_where_a_call_stands(before: CallState, payloads: list[Payload], after: CallState) -> None:
    assert walk(before, *payloads)[-1] is after


@pytest.mark.parametrize("state", list(CallState))
def test_every_call_can_end_and_stays_ended(state: CallState) -> None:
    assert next_state(state, ENDS) is S.ENDED
    assert all(next_state(S.ENDED, payload) is S.ENDED for payload in ALL)


@pytest.mark.parametrize("state", [state for state in CallState if state not in (S.ENDED, S.HANGING_UP)])
def test_an_agent_that_hangs_up_takes_up_nothing_more(state: CallState) -> None:
    assert next_state(state, LEAVES) is S.HANGING_UP
    rest = [payload for payload in ALL if payload is not ENDS]
    assert {next_state(S.HANGING_UP, payload) for payload in rest} == {S.HANGING_UP}


def test_every_state_has_a_row_and_can_be_reached() -> None:
    assert set(TRANSITIONS) == set(CallState)
    reached, new = set[CallState](), {S.CONNECTING}
    while new:
        reached |= new
        new = {next_state(state, payload) for state in new for payload in ALL} - reached
    assert reached == set(CallState)


def test_only_payloads_change_states() -> None:
    assert {kind for row in TRANSITIONS.values() for kind in row} <= set(get_args(Payload))


@pytest.mark.parametrize("seed", range(20))
def test_whatever_happens_who_speaks_is_known(seed: int) -> None:
    """Where the VAD and the output say who speaks, the state agrees, as long as nobody takes a turn away."""
    draw = random.Random(seed)
    state, agent, caller = next_state(S.CONNECTING, BEGAN), False, False
    for _ in range(500):
        payload = draw.choice([IS_QUIET if agent else SPEAKS, STOPS if caller else STARTS])
        agent = {SPEAKS: True, IS_QUIET: False}.get(payload, agent)
        caller = {STARTS: True, STOPS: False}.get(payload, caller)
        state = next_state(state, payload)
        assert (state.agent_is_speaking, state.caller_is_speaking) == (agent, caller)
