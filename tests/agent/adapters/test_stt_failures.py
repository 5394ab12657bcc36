"""LocalStt on an engine that fails: recognition resumes, and nothing is lost."""

import asyncio

import pytest
from livekit.agents import APIError

from agent.call.events import EngineFailed
from serving.speech import SpeechStarted
from tests.agent.adapters.listening import FINAL, Kind, listening, utterance
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit

FAILED = EngineFailed("stt", "EngineDied")


@in_virtual_time
async def test_a_failed_stream_is_reopened_and_times_run_on() -> None:
    async with listening() as heard:
        await heard.hear(10.0)
        await heard.die()
        assert len(heard.engine.streams) == 2
        assert heard.engine.streams[0].is_closed
        assert heard.call.of(EngineFailed) == [FAILED]
        onset_s = heard.engine_stream.heard_s
        await heard.hear(3.0)
        assert heard.engine_stream.heard_s == pytest.approx(onset_s + 3.0)
        await heard.say(*utterance((FINAL, "where can")))
        assert heard.error is None
        assert heard.events[1].alternatives[0].start_time == pytest.approx(10.0 - onset_s + 1.0)


@in_virtual_time
async def test_an_utterance_whose_stream_fails_is_replayed_from_its_start() -> None:
    async with listening() as heard:
        await heard.hear(10.0)
        await heard.say(SpeechStarted(9.5))
        await heard.hear(4.0)
        await heard.die()
        assert heard.engine_stream.heard_s == pytest.approx(5.0, abs=0.05)


@in_virtual_time
async def test_recognised_words_are_not_replayed() -> None:
    async with listening() as heard:
        await heard.hear(2.0)
        await heard.say(*utterance((FINAL, "where can")))
        await heard.hear(0.2)
        (final,) = (event for event in heard.events if event.type is Kind.FINAL_TRANSCRIPT)
        await heard.die()
        assert heard.engine_stream.heard_s == pytest.approx(2.2 - final.alternatives[0].end_time, abs=0.05)


@in_virtual_time
async def test_a_stream_that_cannot_be_opened_counts_as_a_failure() -> None:
    async with listening() as heard:
        heard.engine.fails_to_open = 1
        await heard.die()
        assert heard.call.of(EngineFailed) == 2 * [FAILED]
        await asyncio.sleep(2)
        await heard.say(*utterance((FINAL, "where can")))
        assert heard.passed_on()[1] == (Kind.FINAL_TRANSCRIPT, "where can")


@in_virtual_time
async def test_audio_during_an_outage_is_not_lost() -> None:
    async with listening() as heard:
        heard.engine.fails_to_open = 1
        await heard.die()
        await heard.hear(0.5)
        await asyncio.sleep(2)
        assert heard.engine_stream.heard_s == pytest.approx(0.5)


@in_virtual_time
async def test_the_third_failure_in_a_row_is_the_last() -> None:
    async with listening() as heard:
        for _ in range(3):
            await heard.die()
            await asyncio.sleep(5)
        assert heard.call.of(EngineFailed) == 3 * [FAILED]
        assert isinstance(heard.error, APIError)
        assert not heard.error.retryable


@in_virtual_time
async def test_failures_with_words_in_between_do_not_add_up() -> None:
    async with listening() as heard:
        for _ in range(5):
            await heard.die()
            await asyncio.sleep(5)
            await heard.say(*utterance((FINAL, "where can")))
        assert heard.call.of(EngineFailed) == 5 * [FAILED]
        assert heard.error is None


@in_virtual_time
async def test_an_error_contains_no_words_that_were_said() -> None:
    async with listening() as heard:
        await heard.say(*utterance((FINAL, "my name is anna smith")))
        for _ in range(3):
            await heard.die()
            await asyncio.sleep(5)
        assert "anna" not in str(heard.error)
        assert "anna" not in repr(heard.call.of(EngineFailed))
