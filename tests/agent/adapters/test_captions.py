"""Captions: what is sent into the room, and in which order."""

import asyncio
import json

import pytest
from livekit import rtc

from agent.adapters.captions import TRANSCRIPTION_TOPIC, TURN_TOPIC, Captions
from tests.caption_room import CaptionRoom
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit


@in_virtual_time
async def test_every_update_is_a_whole_stream_of_its_own() -> None:
    room = CaptionRoom()
    captions = Captions(room.as_room())
    captions.agent("one", "hello", is_final=False)
    captions.agent("one", "hello there", is_final=True)
    await captions.sent()
    assert [(sent.topic, sent.text, sent.is_final) for sent in room.sent] == [
        (TRANSCRIPTION_TOPIC, "hello", False),
        (TRANSCRIPTION_TOPIC, "hello there", True),
    ]
    assert {sent.segment for sent in room.sent} == {"one"}
    assert all(sent.is_closed for sent in room.sent)
    await captions.aclose()


@in_virtual_time
async def test_everything_is_sent_in_the_order_it_came() -> None:
    room = CaptionRoom()
    captions = Captions(room.as_room())
    for at in range(20):
        captions.agent("one", str(at), is_final=False)
        captions.caller("anna", str(at), is_final=False)
        captions.event(TURN_TOPIC, {"turn": at})
    await captions.sent()
    assert [sent.text for sent in room.sent] == [
        text for at in range(20) for text in (str(at), str(at), json.dumps({"turn": at}))
    ]
    await captions.aclose()


@in_virtual_time
async def test_the_callers_words_go_under_the_callers_name_one_segment_an_utterance() -> None:
    room = CaptionRoom()
    captions = Captions(room.as_room())
    captions.caller("anna", "where", is_final=False)
    captions.caller("anna", "where can i park", is_final=True)
    captions.caller("anna", "thanks", is_final=True)
    await captions.sent()
    assert [sent.identity for sent in room.sent] == ["anna"] * 3
    first, replaced, second = (sent.segment for sent in room.sent)
    assert first == replaced != second
    await captions.aclose()


@in_virtual_time
async def test_the_agents_words_go_under_its_own_name() -> None:
    room = CaptionRoom()
    captions = Captions(room.as_room())
    captions.agent("one", "hello", is_final=True)
    await captions.sent()
    assert room.sent[0].identity is None
    await captions.aclose()


@in_virtual_time
async def test_a_reply_that_was_cut_short_says_so() -> None:
    room = CaptionRoom()
    captions = Captions(room.as_room())
    captions.agent("one", "hello", is_final=True, is_interrupted=True)
    captions.agent("two", "hello there", is_final=True)
    await captions.sent()
    assert [sent.is_interrupted for sent in room.sent] == [True, False]
    await captions.aclose()


@in_virtual_time
async def test_events_carry_json_and_no_caption_attributes() -> None:
    room = CaptionRoom()
    captions = Captions(room.as_room())
    captions.event(TURN_TOPIC, {"turn": 1, "preempted": True})
    await captions.sent()
    (sent,) = room.sent
    assert (sent.topic, json.loads(sent.text), sent.attributes) == (TURN_TOPIC, {"turn": 1, "preempted": True}, {})
    await captions.aclose()


@pytest.mark.parametrize(
    "failure", [rtc.StreamError("gone"), ConnectionError("gone"), RuntimeError("engine is closed")]
)
@in_virtual_time
async def test_a_room_that_is_gone_hurts_nobody(failure: Exception) -> None:
    room = CaptionRoom()
    captions = Captions(room.as_room())
    captions.agent("one", "hello", is_final=True)
    await captions.sent()
    room.failure = failure
    captions.agent("two", "is anybody there", is_final=False)
    await asyncio.sleep(1)
    captions.caller("anna", "no", is_final=True)
    captions.event(TURN_TOPIC, {})
    await asyncio.sleep(1)
    assert [sent.text for sent in room.sent] == ["hello"]
    await captions.sent()
    await captions.aclose()


@in_virtual_time
async def test_waiting_for_what_is_on_its_way_takes_half_a_second_at_most() -> None:
    room = CaptionRoom(failure=ConnectionError("gone"))
    captions = Captions(room.as_room())
    captions.agent("one", "hello", is_final=True)
    began = asyncio.get_running_loop().time()
    await captions.sent()
    assert asyncio.get_running_loop().time() - began == pytest.approx(0.5)
    await captions.aclose()


@in_virtual_time
async def test_nothing_is_sent_after_closing() -> None:
    room = CaptionRoom()
    captions = Captions(room.as_room())
    captions.agent("one", "hello", is_final=False)
    await captions.aclose()
    captions.agent("one", "hello there", is_final=True)
    await asyncio.sleep(1)
    assert room.sent == []
