"""What a caller hears when something breaks, and whether the next call works."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.caller.clock import RATE
from scripts.caller.conversation import CallRecord
from scripts.caller.measure import AGENT_THRESHOLD_DBFS, spans
from tests.call.conftest import RunningBox, run_box
from tests.livekit_server import LiveKitServer, run_livekit_server

pytestmark = pytest.mark.call

_ASK = {
    "opening": "where can i park",
    "rules": [{"when": ".", "say": "where can i park", "times": 1}, {"when": ".", "hang_up": True}],
}
_DYING = {
    "llm": {"engine": "dying", "model": "demo-llm"},
    "stt": {"engine": "dying", "model": "demo-stt", "options": {"window_floor_s": 4.0}},
    "tts": {"engine": "dying", "model": "demo-voice"},
}


@pytest.mark.parametrize("stage", ["llm", "stt", "tts"])
async def test_the_caller_hears_an_apology_within_three_seconds_and_can_go_on(
    livekit_server: LiveKitServer, tmp_path: Path, stage: str
) -> None:
    with run_box(livekit_server, tmp_path, "tests.call.dying_engines", engines={stage: _DYING[stage]}) as box:
        record = await box.hold(_ASK, room=f"dying-{stage}")

        first = record.exchanges[1]
        # the line is replayed to recognition from its start, so the caller notices nothing
        assert ("parking" if stage == "stt" else "technical problem") in first.reply, first.reply
        assert _answered_after_s(record) < 3.0
        assert "parking" in record.exchanges[2].reply
        assert f'callbox_engine_errors_total{{stage="{stage}"}} ' in box.get("/metrics")

        again = await box.hold(_ASK, room=f"after-{stage}")
        assert "parking" in again.exchanges[1].reply


async def test_a_media_server_that_dies_ends_the_call_and_the_next_call_works(tmp_path: Path) -> None:
    with run_livekit_server() as server, run_box(server, tmp_path) as box:
        async with box.call("doomed") as call:
            await asyncio.wait_for(call.agent_joined.wait(), 20)
            server.kill()
            with run_livekit_server(like=server) as reborn:
                await asyncio.wait_for(call.over.wait(), 60)
                await _registered_twice(box)
                record = await replace(box, server=reborn).hold(_ASK, room="reborn")
        assert "parking" in record.exchanges[1].reply


def _answered_after_s(record: CallRecord) -> float:
    """Audio time from the end of the caller's first line to the agent's next sound."""
    line = record.utterances[0]
    assert line.end_sample is not None
    spoken = spans(record.agent, AGENT_THRESHOLD_DBFS, 0.35)
    return next(span.start_s for span in spoken if span.end_s * RATE > line.end_sample) - line.end_sample / RATE


async def _registered_twice(box: RunningBox) -> None:
    async with asyncio.timeout(60):
        while box.log.read_text().count("registered worker") < 2:  # noqa: ASYNC110 - another process's log
            await asyncio.sleep(0.2)
