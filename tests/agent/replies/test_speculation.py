"""A call's replies from their announcement to the end of their turn."""

import asyncio
from typing import Any

import pytest
from livekit.agents.voice import SpeechHandle

from agent.call.events import (
    CallEnded,
    CallerStartedSpeaking,
    CallerStoppedSpeaking,
    CallEvent,
    CallState,
    EndReason,
    Payload,
    Refusal,
    ReplyBegunAhead,
    ReplyComputed,
    ReplyConfirmed,
    ReplyDropped,
    ReplyEnded,
    ReplyPutOff,
    TurnJudged,
    TurnOver,
)
from agent.replies.reply import Reply
from agent.replies.speculation import DROP_AFTER_S, Replies
from agent.replies.speculation_policy import SpeculationLimits
from serving.demand import Demand
from tests.published import Published
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit


class Call:
    """A call's replies, with LiveKit's part played by the test."""

    def __init__(self, **limits: Any) -> None:
        self.demand = Demand()
        self.events = Published(CallState.TURN_OPEN)
        self.interrupted = 0
        """How often the reply being prepared was stopped."""
        self.replies = Replies(
            SpeculationLimits(**limits),
            self.demand,
            self.events,
            lines=4,
            is_judged=True,
            interrupt=self._interrupt,
        )

    def _interrupt(self) -> None:
        self.interrupted += 1

    def announce(self, *, is_awaited: bool = True) -> tuple[Reply, SpeechHandle]:
        """Announce a reply. LiveKit's tasks begin in the next loop step."""
        speech = SpeechHandle.create()
        return self.replies.announce(speech, is_awaited=is_awaited), speech

    def judge(self, probability: float) -> None:
        """Publish a judgement of the pause, as by the end-of-turn engine."""
        self.events.publish(TurnJudged(probability, silence_s=0.3, inference_s=0.02))

    def turn_is_over(self, spoken: SpeechHandle | None = None) -> None:
        """End the turn and speak this reply."""
        self.events.publish(TurnOver())
        if spoken is not None:
            spoken._mark_scheduled()


async def begin(reply: Reply) -> "asyncio.Task[None]":
    """Ask to start the reply, as the language model's adapter does."""
    await asyncio.sleep(0)
    asking = asyncio.create_task(reply.wait_to_begin())
    await asyncio.sleep(0.01)
    return asking


@in_virtual_time
async def test_a_speech_leads_to_its_reply_until_it_is_done() -> None:
    call = Call()
    announced = [call.announce() for _ in range(2)]
    for reply, speech in announced:
        assert call.replies.of(speech) is reply
        assert (reply.speech, reply.id) == (speech, speech.id)
    (_, first), (second_reply, second) = announced
    first._mark_done()
    await asyncio.sleep(0)
    assert call.replies.of(first) is None
    assert call.replies.of(second) is second_reply
    assert call.events.of(ReplyEnded) == [ReplyEnded(first.id, is_interrupted=False)]
    second._cancel()
    second._mark_done()
    await asyncio.sleep(0)
    assert call.replies.of(second) is None
    assert call.events.of(ReplyEnded)[1:] == [ReplyEnded(second.id, is_interrupted=True)]


@in_virtual_time
async def test_a_speech_that_was_not_announced_has_no_reply() -> None:
    call = Call()
    call.announce()
    assert call.replies.of(SpeechHandle.create()) is None
    assert call.replies.of(None) is None


@in_virtual_time
async def test_a_confirmed_reply_needs_no_permission() -> None:
    call = Call(max_per_turn=0)
    reply, speech = call.announce()
    speech._mark_scheduled()
    assert (await begin(reply)).done()
    assert reply.begun_at is None
    assert call.events.payloads == []
    await asyncio.wait_for(reply.wait_until_confirmed(), 0.1)


@in_virtual_time
async def test_an_early_start_is_published_at_once() -> None:
    call = Call()
    reply, _ = call.announce()
    assert (await begin(reply)).done()
    assert call.events.payloads == [ReplyBegunAhead(reply.id)]


@in_virtual_time
async def test_a_reply_that_was_put_off_starts_when_its_turn_is_over() -> None:
    call = Call(max_per_turn=0)
    reply, speech = call.announce()
    asking = await begin(reply)
    call.judge(0.9)
    await asyncio.sleep(5.0)
    assert not asking.done()
    assert call.events.of(ReplyPutOff) == [ReplyPutOff(reply.id, Refusal.BUDGET)]
    call.turn_is_over(speech)
    await asyncio.wait_for(asking, 0.1)
    assert reply.begun_at is None
    assert call.events.of(ReplyBegunAhead) == []
    (confirmed,) = call.events.of(ReplyConfirmed)
    assert (confirmed.reply_id, confirmed.lead_s) == (reply.id, None)
    assert confirmed.put_off_s == pytest.approx(5.01)


@in_virtual_time
async def test_a_reply_that_was_put_off_and_dropped_never_starts() -> None:
    call = Call(max_per_turn=1)
    used, _ = call.announce()
    await begin(used)
    reply, speech = call.announce()
    asking = await begin(reply)
    speech._cancel()
    call.turn_is_over()
    call.judge(0.9)
    await asyncio.sleep(5.0)
    assert not asking.done()
    assert call.events.of(ReplyDropped) == [
        ReplyDropped(used.id, was_begun=True),
        ReplyDropped(reply.id, was_begun=False),
    ]
    assert call.events.of(ReplyConfirmed) == []
    asking.cancel()


@in_virtual_time
async def test_a_judgement_lets_the_last_reply_of_a_turn_start() -> None:
    call = Call(max_per_turn=2)
    await begin(call.announce()[0])
    reply, _ = call.announce()
    asking = await begin(reply)
    call.judge(0.1)
    await asyncio.sleep(0.1)
    assert not asking.done()
    call.judge(0.8)
    await asyncio.sleep(0.1)
    assert asking.done()
    assert reply.begun_at is not None


@in_virtual_time
async def test_the_lead_is_the_time_that_the_first_sound_would_have_taken() -> None:
    call = Call()
    reply, speech = call.announce()
    await begin(reply)
    await asyncio.sleep(0.1)
    reply.add_audio(0.5)
    await asyncio.sleep(0.3)
    call.turn_is_over(speech)
    await asyncio.sleep(0)
    (confirmed,) = call.events.of(ReplyConfirmed)
    assert confirmed.lead_s == pytest.approx(0.11)
    assert confirmed.put_off_s == 0.0


@in_virtual_time
async def test_the_lead_of_a_reply_that_is_still_silent_is_the_time_since_its_start() -> None:
    call = Call()
    reply, speech = call.announce()
    await begin(reply)
    await asyncio.sleep(0.2)
    call.turn_is_over(speech)
    await asyncio.sleep(0)
    (confirmed,) = call.events.of(ReplyConfirmed)
    assert confirmed.lead_s == pytest.approx(0.21)
    call.turn_is_over()
    await asyncio.sleep(0)
    assert call.events.of(ReplyConfirmed) == [confirmed]  # the next turn does not inherit the last one's lead


@in_virtual_time
async def test_all_work_is_counted_as_used_or_wasted_even_late_work() -> None:
    call = Call()
    dropped, dropped_speech = call.announce()
    await begin(dropped)
    dropped.add_tokens(5)
    dropped.add_audio(0.5)
    kept, kept_speech = call.announce()
    await begin(kept)
    dropped.add_tokens(1)  # was on its way when LiveKit closed the reply
    kept.add_tokens(7)
    call.turn_is_over(kept_speech)
    await asyncio.sleep(0)
    assert call.events.of(ReplyComputed) == [
        ReplyComputed(dropped.id, is_used=False, tokens=5, audio_s=0.5),
        ReplyComputed(kept.id, is_used=True, tokens=7, audio_s=0.0),
    ]
    kept.add_tokens(3)
    for speech in (dropped_speech, kept_speech):
        speech._mark_done()
    await asyncio.sleep(0)
    assert call.events.of(ReplyComputed)[2:] == [
        ReplyComputed(dropped.id, is_used=False, tokens=1, audio_s=0.0),
        ReplyComputed(kept.id, is_used=True, tokens=3, audio_s=0.0),
    ]


@in_virtual_time
async def test_a_reply_for_which_nothing_was_computed_is_not_counted() -> None:
    call = Call()
    for is_spoken in (True, False):
        _, speech = call.announce(is_awaited=False)
        await asyncio.sleep(0)
        call.turn_is_over(speech if is_spoken else None)
        await asyncio.sleep(0)
        speech._mark_done()
        await asyncio.sleep(0)
    assert len(call.events.of(ReplyEnded)) == 2
    assert call.events.of(ReplyComputed) == []


@in_virtual_time
async def test_only_a_reply_still_being_computed_is_dropped_when_the_caller_continues() -> None:
    call = Call()
    reply, _ = call.announce()
    await begin(reply)
    call.events.publish(CallerStartedSpeaking())
    await asyncio.sleep(2 * DROP_AFTER_S)
    assert call.interrupted == 0
    with reply.computing():
        call.events.publish(CallerStartedSpeaking())
        await asyncio.sleep(DROP_AFTER_S / 2)
        call.events.publish(CallerStoppedSpeaking())
        await asyncio.sleep(2 * DROP_AFTER_S)
        assert call.interrupted == 0
        assert call.events.of(ReplyDropped) == []
        call.events.publish(CallerStartedSpeaking())
        await asyncio.sleep(2 * DROP_AFTER_S)
    assert call.interrupted == 1
    assert reply.is_given_up
    assert call.events.of(ReplyDropped) == [ReplyDropped(reply.id, was_begun=True)]


@in_virtual_time
async def test_a_caller_waits_from_the_end_of_the_turn_to_the_first_sound() -> None:
    call = Call()
    reply, speech = call.announce()
    await begin(reply)
    assert call.demand.longest_wait_s == 0.0
    call.turn_is_over(speech)
    await asyncio.sleep(0.5)
    assert call.demand.longest_wait_s == pytest.approx(0.5)
    reply.add_audio(0.2)
    assert call.demand.longest_wait_s == 0.0


@pytest.mark.parametrize("is_awaited", [False, True])
@in_virtual_time
async def test_no_caller_waits_for_a_ready_phrase_or_a_finished_reply(is_awaited: bool) -> None:
    call = Call()
    _, speech = call.announce(is_awaited=is_awaited)
    speech._mark_scheduled()
    await asyncio.sleep(0.5)
    assert call.demand.longest_wait_s == pytest.approx(0.5 if is_awaited else 0.0)
    speech._mark_done()
    await asyncio.sleep(0)
    assert call.demand.longest_wait_s == 0.0


@in_virtual_time
async def test_a_busy_box_puts_a_reply_off_until_it_is_free() -> None:
    call = Call(max_load=0.5)
    reply, _ = call.announce()
    with call.demand.reply(), call.demand.reply():
        asking = await begin(reply)
        assert not asking.done()
        assert call.events.of(ReplyPutOff) == [ReplyPutOff(reply.id, Refusal.LOAD)]
    call.judge(0.5)
    await asyncio.wait_for(asking, 0.1)


@in_virtual_time
async def test_hanging_up_wastes_the_prepared_reply() -> None:
    call, heard = Call(), list[Payload]()

    async def hear(event: CallEvent[Payload]) -> None:
        heard.append(event.payload)

    reply, _ = call.announce()
    await begin(reply)
    reply.add_tokens(5)
    call.events.subscribe("test", hear)
    call.events.publish(CallEnded(EndReason.CALLER_LEFT))
    await call.events.aclose()
    assert heard == [
        ReplyDropped(reply.id, was_begun=True),
        ReplyComputed(reply.id, is_used=False, tokens=5, audio_s=0.0),
        CallEnded(EndReason.CALLER_LEFT),
    ]


@pytest.mark.parametrize("max_load", [0.25, 0.5])
@in_virtual_time
async def test_only_other_callers_count_as_load(max_load: float) -> None:
    call = Call(max_load=max_load)
    before, _ = call.announce()
    await begin(before)
    with before.computing(), call.demand.reply():
        assert call.demand.computing == 2
        asking = await begin(call.announce()[0])
        assert asking.done() is (max_load > 0.25)
        asking.cancel()
