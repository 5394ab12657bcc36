"""How long neither side has made a sound."""

import asyncio

import pytest

from agent.call.events import (
    AgentStartedSpeaking,
    AgentStoppedSpeaking,
    CallBegan,
    CallEnded,
    CallerStartedSpeaking,
    CallerStoppedSpeaking,
    EndReason,
    Silence,
)
from agent.turns.silence import FIRST_S, SilenceClock
from tests.published import Published
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit


def quiet_call() -> Published:
    """Nobody has said anything yet."""
    events = Published()
    SilenceClock(events)
    events.publish(AgentStartedSpeaking())
    events.publish(AgentStoppedSpeaking(is_interrupted=False))
    return events


@in_virtual_time
async def test_a_silence_is_told_again_each_time_it_has_doubled() -> None:
    events = quiet_call()
    await asyncio.sleep(4 * FIRST_S + 0.1)
    assert events.of(Silence) == [Silence(FIRST_S), Silence(2 * FIRST_S), Silence(4 * FIRST_S)]


@in_virtual_time
async def test_sound_ends_a_silence_and_the_next_one_begins_anew() -> None:
    events = quiet_call()
    await asyncio.sleep(FIRST_S - 0.1)
    events.publish(CallerStartedSpeaking())
    await asyncio.sleep(60.0)
    events.publish(CallerStoppedSpeaking())
    await asyncio.sleep(FIRST_S - 0.1)
    assert events.of(Silence) == []
    await asyncio.sleep(0.2)
    assert events.of(Silence) == [Silence(FIRST_S)]


@in_virtual_time
async def test_a_turn_that_came_to_nothing_does_not_begin_it_anew() -> None:
    events = Published()
    SilenceClock(events)
    events.publish(CallerStartedSpeaking())
    events.publish(CallerStoppedSpeaking())
    await asyncio.sleep(FIRST_S + 0.1)
    assert events.of(Silence) == [Silence(FIRST_S)]


@in_virtual_time
async def test_a_reaction_to_a_silence_may_end_it() -> None:
    events = quiet_call()
    events.react(lambda payload: events.publish(AgentStartedSpeaking()) if isinstance(payload, Silence) else None)
    await asyncio.sleep(60.0)
    assert events.of(Silence) == [Silence(FIRST_S)]


@in_virtual_time
async def test_a_call_that_is_over_is_not_silent() -> None:
    events = quiet_call()
    events.publish(CallBegan())
    events.publish(CallEnded(EndReason.CALLER_LEFT))
    await asyncio.sleep(60.0)
    assert events.of(Silence) == []
