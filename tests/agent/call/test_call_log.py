"""A call's events as log lines."""

import asyncio
import logging

import pytest

from agent.call.call_log import CallLog
from agent.call.events import (
    CallBegan,
    CallEnded,
    CallerMessage,
    EndReason,
    EngineFailed,
    EngineLate,
    EngineReloaded,
    ParticipantJoined,
)
from agent.call.spoken import Spoken
from agent.call.stream import EventStream
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit


@in_virtual_time
async def test_an_operator_finds_a_calls_course_and_nothing_that_was_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "callbox.call")
    events = EventStream("AJ_1", asyncio.get_running_loop())
    CallLog(events)
    events.publish(CallBegan())
    events.publish(ParticipantJoined(Spoken("sip_+15551234"), is_telephone=True))
    events.publish(CallerMessage(Spoken("i am anna smith")))
    events.publish(EngineFailed("llm", "EngineDied"))
    events.publish(EngineLate("turn"))
    events.publish(EngineReloaded("llm"))
    await asyncio.sleep(61.0)
    events.publish(CallEnded(EndReason.CALLER_LEFT))
    await events.aclose()
    assert [record.getMessage() for record in caplog.records] == [
        "call AJ_1 began",
        "call AJ_1: the llm engine failed: EngineDied",
        "call AJ_1: the turn engine answered too late",
        "call AJ_1: the llm engine works again",
        "call AJ_1 ended after 61 s: caller_left",
    ]
