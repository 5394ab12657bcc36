"""Captions: which events of a call are shown in its room, how, and in what order."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

import pytest
from livekit import rtc

from agent.adapters.captions import TOOL_TOPIC, TRANSCRIPTION_TOPIC, TURN_TOPIC, Captions
from agent.call.events import (
    AgentHeard,
    AgentInterrupted,
    BargeIn,
    CallEnded,
    CallerTranscript,
    EndReason,
    ParticipantJoined,
    ParticipantLeft,
    Payload,
    ToolCalled,
    ToolReturned,
    TurnFigures,
)
from agent.call.spoken import Spoken
from agent.call.stream import EventStream
from serving.speech import TranscriptStage
from tests.caption_room import CaptionRoom, SentStream
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit

INTERIM, PREFLIGHT, FINAL = TranscriptStage.INTERIM, TranscriptStage.PREFLIGHT, TranscriptStage.FINAL
ANNA = ParticipantJoined(Spoken("anna"))


@dataclass(slots=True)
class Shown:
    """A room, and the call whose events are shown in it."""

    room: CaptionRoom
    events: EventStream

    async def publish(self, *payloads: Payload) -> list[SentStream]:
        """Publish these and return everything sent so far."""
        for payload in payloads:
            self.events.publish(payload)
        await self.events.drained(0.5)
        return self.room.sent


@asynccontextmanager
async def shown() -> AsyncIterator[Shown]:
    """An empty room."""
    made = Shown(CaptionRoom(), EventStream("call", asyncio.get_running_loop()))
    Captions(made.room.as_room(), made.events)
    try:
        yield made
    finally:
        await made.events.aclose()


def caller(text: str, stage: TranscriptStage = INTERIM) -> CallerTranscript:
    """The caller's words so far."""
    return CallerTranscript(stage, Spoken(text))


def agent(segment: str, text: str, *, is_final: bool = False, is_interrupted: bool = False) -> AgentHeard:
    """The agent's words so far."""
    return AgentHeard(segment, Spoken(text), is_final, is_interrupted)


def figures(turn: int) -> TurnFigures:
    """A turn's figures with most of them unknown."""
    return TurnFigures(
        turn=turn,
        voice_to_voice_ms=412.5,
        end_of_turn_delay_ms=None,
        transcription_delay_ms=None,
        llm_ttft_ms=None,
        tts_ttfb_ms=None,
        preempted=True,
        end_of_turn_probability=0.9,
        lead_time_ms=None,
    )


@in_virtual_time
async def test_every_update_is_a_complete_stream() -> None:
    async with shown() as call:
        sent = await call.publish(agent("one", "hello"), agent("one", "hello there", is_final=True))
        assert [(stream.topic, stream.text, stream.is_final) for stream in sent] == [
            (TRANSCRIPTION_TOPIC, "hello", False),
            (TRANSCRIPTION_TOPIC, "hello there", True),
        ]
        assert {stream.segment for stream in sent} == {"one"}
        assert all(stream.is_closed for stream in sent)


@in_virtual_time
async def test_everything_is_sent_in_the_order_of_publishing() -> None:
    async with shown() as call:
        call.events.publish(ANNA)
        for at in range(20):
            for payload in (agent("one", f"a{at}"), caller(f"c{at}"), figures(at)):
                call.events.publish(payload)
        sent = await call.publish()
        assert [stream.text for stream in sent] == [
            text for at in range(20) for text in (f"a{at}", f"c{at}", json.dumps(asdict(figures(at))))
        ]


@in_virtual_time
async def test_the_callers_words_carry_the_callers_identity_one_segment_per_utterance() -> None:
    async with shown() as call:
        sent = await call.publish(
            ANNA,
            caller("where"),
            caller("where can i park", PREFLIGHT),
            caller("where can i park", FINAL),
            caller("thanks", FINAL),
        )
        assert [(stream.text, stream.is_final) for stream in sent] == [
            ("where", False),
            ("where can i park", False),
            ("where can i park", True),
            ("thanks", True),
        ]
        assert [stream.identity for stream in sent] == ["anna"] * 4
        first, second, third, next_utterance = (stream.segment for stream in sent)
        assert first == second == third != next_utterance


@in_virtual_time
async def test_the_agents_words_carry_the_agents_identity() -> None:
    async with shown() as call:
        (sent,) = await call.publish(ANNA, agent("one", "hello", is_final=True))
        assert sent.identity is None


@in_virtual_time
async def test_the_callers_words_are_not_shown_before_their_identity_is_known() -> None:
    async with shown() as call:
        assert await call.publish(caller("where", FINAL)) == []
        sent = await call.publish(ANNA, caller("thanks", FINAL))
        assert [(stream.identity, stream.text) for stream in sent] == [("anna", "thanks")]


@in_virtual_time
async def test_the_caller_is_the_first_participant_until_they_leave() -> None:
    async with shown() as call:
        bert = Spoken("bert")
        await call.publish(ANNA, ParticipantJoined(bert), caller("one", FINAL))
        await call.publish(ParticipantLeft(bert), caller("two", FINAL))
        await call.publish(ParticipantLeft(Spoken("anna")), caller("three", FINAL))
        sent = await call.publish(ParticipantJoined(bert), caller("four", FINAL))
        assert [(stream.identity, stream.text) for stream in sent] == [
            ("anna", "one"),
            ("anna", "two"),
            ("bert", "four"),
        ]


@in_virtual_time
async def test_an_interrupted_reply_is_marked() -> None:
    async with shown() as call:
        sent = await call.publish(
            agent("one", "hello", is_final=True, is_interrupted=True), agent("two", "hello there", is_final=True)
        )
        assert [stream.is_interrupted for stream in sent] == [True, False]


@in_virtual_time
async def test_a_turns_figures_are_json_without_caption_attributes() -> None:
    async with shown() as call:
        (sent,) = await call.publish(figures(1))
        assert (sent.topic, sent.attributes, sent.identity) == (TURN_TOPIC, {}, None)
        assert json.loads(sent.text) == {
            "turn": 1,
            "voice_to_voice_ms": 412.5,
            "end_of_turn_delay_ms": None,
            "transcription_delay_ms": None,
            "llm_ttft_ms": None,
            "tts_ttfb_ms": None,
            "preempted": True,
            "end_of_turn_probability": 0.9,
            "lead_time_ms": None,
        }


@in_virtual_time
async def test_a_tool_result_is_json_with_only_its_name_and_status() -> None:
    async with shown() as call:
        (sent,) = await call.publish(ToolReturned("7", "request_refill", "sent", took_s=0.2, reply_id="speech_1"))
        assert (sent.topic, sent.attributes, sent.identity) == (TOOL_TOPIC, {}, None)
        assert json.loads(sent.text) == {"name": "request_refill", "status": "sent"}


@in_virtual_time
async def test_no_other_event_is_shown() -> None:
    async with shown() as call:
        assert await call.publish(ANNA, BargeIn(), AgentInterrupted(), ToolCalled("7", "end_call")) == []


@pytest.mark.parametrize(
    "failure", [rtc.StreamError("gone"), ConnectionError("gone"), RuntimeError("engine is closed")]
)
@in_virtual_time
async def test_a_closed_room_raises_nothing(failure: Exception) -> None:
    async with shown() as call:
        await call.publish(ANNA, agent("one", "hello", is_final=True))
        call.room.failure = failure
        began = asyncio.get_running_loop().time()
        await call.publish(agent("two", "is anybody there"), caller("no", FINAL), figures(1))
        assert asyncio.get_running_loop().time() == began  # without waiting
        call.room.failure = None
        sent = await call.publish(agent("two", "is anybody there"))
        assert [stream.text for stream in sent] == ["hello"]


@in_virtual_time
async def test_closing_waits_for_pending_captions_only_so_long() -> None:
    async with shown() as call:
        call.room.takes_s = 60.0
        began = asyncio.get_running_loop().time()
        await call.publish(agent("one", "hello", is_final=True))
        assert asyncio.get_running_loop().time() - began == pytest.approx(0.5)


@in_virtual_time
async def test_the_last_words_are_sent_when_the_call_ends_and_nothing_after_them() -> None:
    async with shown() as call:
        call.events.publish(agent("one", "goodbye", is_final=True))
        call.events.publish(CallEnded(EndReason.AGENT_HUNG_UP))
        call.events.publish(agent("two", "hello there", is_final=True))
        await call.events.aclose()
        await asyncio.sleep(1)
        assert [stream.text for stream in call.room.sent] == ["goodbye"]


@in_virtual_time
async def test_nothing_is_sent_after_closing() -> None:
    async with shown() as call:
        await call.events.aclose()
        call.events.publish(agent("one", "hello there", is_final=True))
        await asyncio.sleep(1)
        assert call.room.sent == []
