"""Subscribers of a call see what happens in it, and whatever goes wrong with them never reaches the caller."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from agent.call.events import (
    AgentHeard,
    AgentMessage,
    AgentStartedSpeaking,
    AgentStoppedSpeaking,
    CallBegan,
    CallerMessage,
    CallerStartedSpeaking,
    CallerStoppedSpeaking,
    CallerTranscript,
    CallEvent,
    Payload,
    ReplyBegunAhead,
    ReplyConfirmed,
    TurnDecided,
    TurnFigures,
    TurnJudged,
    TurnOver,
)
from agent.call.stream import CAPACITY
from serving.speech import TranscriptStage
from tests.conversations.talk import PARKING, Talk, conversation
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.conversation

Handle = Callable[[CallEvent[Payload]], Awaitable[None]]


async def never_reads(event: CallEvent[Payload]) -> None:
    """Gets stuck on the first event for good."""
    await asyncio.Event().wait()


async def raises(event: CallEvent[Payload]) -> None:
    """Fails on every event."""
    raise ValueError("a subscriber's mistake")


async def takes_its_time(event: CallEvent[Payload]) -> None:
    """Slower than events arrive."""
    await asyncio.sleep(0.5)


async def ask_and_interrupt(talk: Talk) -> list[tuple[str, float]]:
    """Have two turns, one of them a barge-in. Returns every word that came out, timed from the first question."""
    line = talk.say("where can i park")
    await talk.until(lambda: len(talk.heard(since=line.start)) > 3)
    talk.say("wait i need a refill", at=line.end + 2.0)
    await talk.quiet()
    return [(word.text, round(word.at - line.start, 6)) for word in talk.heard(since=line.start)]


async def course(*subscribers: Handle) -> list[tuple[str, float]]:
    """The same conversation with these subscribers attached."""
    async with conversation() as talk:
        for at, handle in enumerate(subscribers):
            talk.events.subscribe(f"extra {at}", handle)
        return await ask_and_interrupt(talk)


@pytest.mark.parametrize("subscriber", [never_reads, raises, takes_its_time])
@in_virtual_time
async def test_a_bad_subscriber_does_not_change_one_sample_of_what_is_heard(subscriber: Handle) -> None:
    assert await course(subscriber) == await course()


@in_virtual_time
async def test_a_stuck_subscriber_loses_events_and_another_none() -> None:
    async with conversation() as talk:
        stuck = talk.events.subscribe("stuck", never_reads, capacity=8)
        await ask_and_interrupt(talk)
        assert stuck.lost > 0
        assert len(talk.published) < CAPACITY
        assert [event.at_s for event in talk.published] == sorted(event.at_s for event in talk.published)


@in_virtual_time
async def test_a_turn_can_be_followed_from_its_first_sound_to_its_last_word() -> None:
    async with conversation() as talk:
        talk.say("where can i park")
        await talk.quiet()
        kinds = [type(event.payload) for event in talk.published]
    course = (
        CallBegan,
        CallerStartedSpeaking,
        CallerTranscript,
        ReplyBegunAhead,
        TurnJudged,
        TurnDecided,
        TurnOver,
        ReplyConfirmed,
        CallerMessage,
        AgentStartedSpeaking,
        AgentHeard,
        AgentStoppedSpeaking,
        AgentMessage,
        TurnFigures,
    )
    assert set(course) <= set(kinds)
    assert kinds.index(CallerStartedSpeaking) < kinds.index(CallerTranscript) < kinds.index(ReplyBegunAhead)
    assert kinds.index(TurnOver) < kinds.index(ReplyConfirmed)
    assert kinds.index(CallerStoppedSpeaking) < kinds.index(TurnOver)


@in_virtual_time
async def test_words_come_with_the_times_at_which_they_were_said() -> None:
    async with conversation() as talk:
        began = asyncio.get_running_loop().time() - talk.events.now_s
        line = talk.say("where can i park")
        await talk.quiet()
        (final,) = [
            event.payload.said
            for event in talk.published
            if isinstance(event.payload, CallerTranscript) and event.payload.stage is TranscriptStage.FINAL
        ]
        heard = [event.payload.said for event in talk.published if isinstance(event.payload, AgentHeard)]
    assert final.text == "where can i park"
    assert final.words[0].start_s + began == pytest.approx(line.start, abs=0.05)
    assert final.words[-1].end_s + began == pytest.approx(line.end, abs=0.05)
    assert heard[-1].text == PARKING
    assert [word.text for word in heard[-1].words] == PARKING.split()
