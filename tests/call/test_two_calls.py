"""Two callers at once, each with their own agent."""

import asyncio

import pytest

from tests.call.conftest import RunningBox

pytestmark = pytest.mark.call

_END = {"when": ".", "hang_up": True}


async def test_two_calls_at_once_do_not_mix(box: RunningBox) -> None:
    parking = {"opening": "where can i park", "rules": [{"when": ".", "say": "where is the lab", "times": 1}, _END]}
    insurance = {
        "opening": "which insurance do you take",
        "rules": [{"when": ".", "say": "what is your address", "times": 1}, _END],
    }

    await asyncio.gather(box.hold(parking, voice="rms", room="first"), box.hold(insurance, voice="awb", room="second"))

    first, second = _said(box, "first"), _said(box, "second")
    assert "where can i park" in first["user"]
    assert "parking behind the building" in first["assistant"]
    assert "which insurance do you take" in second["user"]
    assert "Medicare" in second["assistant"]
    assert "park" not in second["user"] + second["assistant"]
    assert "insurance" not in first["user"] + first["assistant"]


def _said(box: RunningBox, room: str) -> dict[str, str]:
    history = box.history(room)
    return {
        role: " ".join(entry["text"] for entry in history if entry["role"] == role) for role in ("user", "assistant")
    }
