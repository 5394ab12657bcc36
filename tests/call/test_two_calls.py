"""Two simultaneous callers, each with their own agent."""

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.call.conftest import RunningBox, run_box
from tests.livekit_server import LiveKitServer

pytestmark = pytest.mark.call

_END = {"when": ".", "hang_up": True}


async def test_two_simultaneous_calls_do_not_mix(box: RunningBox) -> None:
    parking = {"opening": "where can i park", "rules": [{"when": ".", "say": "where is the lab", "times": 1}, _END]}
    insurance = {
        "opening": "which insurance do you take",
        "rules": [{"when": ".", "say": "what is your address", "times": 1}, _END],
    }

    rooms = [f"{name}-{secrets.token_hex(4)}" for name in ("first", "second")]
    await asyncio.gather(box.hold(parking, voice="rms", room=rooms[0]), box.hold(insurance, voice="awb", room=rooms[1]))

    first, second = (_said(box, room) for room in rooms)
    assert "where can i park" in first["user"]
    assert "parking behind the building" in first["assistant"]
    assert "which insurance do you take" in second["user"]
    assert "Medicare" in second["assistant"]
    assert "park" not in second["user"] + second["assistant"]
    assert "insurance" not in first["user"] + first["assistant"]


async def test_a_full_box_turns_the_next_caller_away_until_a_line_is_free(
    livekit_server: LiveKitServer, tmp_path: Path
) -> None:
    ask, tag = {"opening": "where can i park", "rules": [_END]}, secrets.token_hex(4)
    with run_box(livekit_server, tmp_path, capacity={"max_calls": 1}) as box:
        async with box.call(f"taken-{tag}") as first:
            await asyncio.wait_for(first.agent_joined.wait(), 20)
            status = box.get("/readyz")
            assert (status["lines"], status["lines_busy"]) == (1, 1)
            async with box.call(f"turned-away-{tag}") as second:
                await _until(lambda: "all lines are busy" in box.log.read_text())
                assert not second.agent_joined.is_set()
        await _until(lambda: box.get("/readyz")["lines_busy"] == 0)
        record = await box.hold(ask, room=f"free-again-{tag}")
        assert "parking" in record.agent_said


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - another process's state
            await asyncio.sleep(0.2)


def _said(box: RunningBox, room: str) -> dict[str, str]:
    history = box.history(room)
    return {
        role: " ".join(entry["text"] for entry in history if entry["role"] == role) for role in ("user", "assistant")
    }
