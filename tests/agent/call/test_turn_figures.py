"""The figures of each turn, put together from a call's events."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from agent.call.events import (
    CallerTurnTimed,
    CallEvent,
    Payload,
    PublicPayload,
    ReplyConfirmed,
    ReplyTimed,
    TurnDecided,
    TurnDecidedBy,
    TurnFigures,
    TurnOver,
)
from agent.call.stream import EventStream
from agent.call.turn_figures import TurnRecorder
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit

CALLER = CallerTurnTimed(end_of_turn_delay_s=0.3004, transcription_delay_s=0.15)
REPLY = ReplyTimed(voice_to_voice_s=0.41236, llm_ttft_s=0.05, tts_ttfb_s=0.08)
JUDGED = TurnDecided(TurnDecidedBy.JUDGEMENT, 0.9, 3)


class Recorded:
    """A call whose turns are recorded."""

    def __init__(self, events: EventStream) -> None:
        self._events = events
        self.turns: list[TurnFigures] = []
        TurnRecorder(events)
        events.subscribe_public("test", self._keep)

    async def _keep(self, event: CallEvent[PublicPayload]) -> None:
        if isinstance(event.payload, TurnFigures):
            self.turns.append(event.payload)

    async def publish(self, *payloads: Payload) -> list[TurnFigures]:
        """What was recorded once these have happened."""
        for payload in payloads:
            self._events.publish(payload)
        await self._events.drained(1.0)
        await self._events.drained(1.0)  # and what the recorder published
        return self.turns


@asynccontextmanager
async def recorded() -> AsyncIterator[Recorded]:
    events = EventStream("call", asyncio.get_running_loop())
    yield Recorded(events)
    await events.aclose()


@in_virtual_time
async def test_a_turn_has_the_figures_of_its_two_messages() -> None:
    async with recorded() as call:
        confirmed = ReplyConfirmed("one", lead_s=0.1864, put_off_s=0.0)
        assert await call.publish(JUDGED, TurnOver(), confirmed, CALLER, REPLY) == [
            TurnFigures(
                turn=1,
                voice_to_voice_ms=412.4,
                end_of_turn_delay_ms=300.4,
                transcription_delay_ms=150.0,
                llm_ttft_ms=50.0,
                tts_ttfb_ms=80.0,
                preempted=True,
                end_of_turn_probability=0.9,
                lead_time_ms=186.4,
            )
        ]


@pytest.mark.parametrize(("lead_s", "preempted"), [(0.2, True), (0.0, True), (None, False)])
@in_virtual_time
async def test_a_reply_begun_before_the_turn_was_over_is_preempted(lead_s: float | None, preempted: bool) -> None:
    async with recorded() as call:
        (figures,) = await call.publish(TurnOver(), ReplyConfirmed("one", lead_s, 0.0), CALLER, REPLY)
        assert figures.preempted is preempted


@in_virtual_time
async def test_a_reply_begun_ahead_of_one_turn_says_nothing_about_the_next() -> None:
    async with recorded() as call:
        await call.publish(TurnOver(), ReplyConfirmed("one", 0.2, 0.0), CALLER, REPLY)
        _, second = await call.publish(TurnOver(), CALLER, REPLY)
        assert (second.preempted, second.lead_time_ms) == (False, None)


@in_virtual_time
async def test_the_time_that_a_reply_was_put_off_is_not_the_models() -> None:
    async with recorded() as call:
        (figures,) = await call.publish(
            TurnOver(), ReplyConfirmed("one", None, 0.2), CALLER, ReplyTimed(None, 0.25, None)
        )
        assert figures.llm_ttft_ms == 50.0


@in_virtual_time
async def test_the_greeting_answers_no_turn() -> None:
    async with recorded() as call:
        assert await call.publish(REPLY) == []


@in_virtual_time
async def test_a_turn_is_answered_once() -> None:
    async with recorded() as call:
        assert len(await call.publish(TurnOver(), CALLER, REPLY, REPLY)) == 1


@in_virtual_time
async def test_turns_are_counted_and_keep_nothing_of_each_other() -> None:
    async with recorded() as call:
        await call.publish(JUDGED, TurnOver(), CALLER, REPLY)
        _, second = await call.publish(TurnOver(), CallerTurnTimed(1.2, None), ReplyTimed(None, None, None))
        assert (second.turn, second.end_of_turn_delay_ms) == (2, 1200.0)
        assert (second.transcription_delay_ms, second.llm_ttft_ms, second.end_of_turn_probability) == (None, None, None)


@in_virtual_time
async def test_a_turn_without_figures_is_a_turn() -> None:
    """Typed text has no delays, but its answer counts."""
    async with recorded() as call:
        (figures,) = await call.publish(CallerTurnTimed(None, None), ReplyTimed(None, 0.05, None))
        assert (figures.turn, figures.llm_ttft_ms, figures.voice_to_voice_ms) == (1, 50.0, None)
