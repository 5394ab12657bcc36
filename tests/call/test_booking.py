"""A caller books an appointment over a real room, by voice."""

import pytest

from scripts.caller.dialogue import find_dialogue
from scripts.caller.goal import unmet
from tests.call.conftest import RunningBox

pytestmark = pytest.mark.call


async def test_a_booking_dialogue_ends_in_a_booked_appointment(box: RunningBox) -> None:
    dialogue = find_dialogue("book")
    before = box.get("/clinic")

    record = await box.hold(dialogue.model_dump(), room="booking")

    assert unmet(dialogue.goal, before, box.get("/clinic"), record.agent_said) == []
    assert len([exchange for exchange in record.exchanges if exchange.utterance]) >= 6
    assert record.problems == []
    published = (box.log.read_text() + box.get("/metrics")).lower()
    assert [word for word in ("anna", "smith", "tuesday", "book an appointment") if word in published] == []


async def test_every_answered_turn_publishes_its_figures(box: RunningBox) -> None:
    answered = _count(box.get("/metrics"), "callbox_voice_to_voice_seconds_count")

    record = await box.hold(
        {"opening": "where can i park", "rules": [{"when": ".", "say": "no that is all thank you"}]}, room="figures"
    )

    assert "parking" in record.agent_said
    assert [turn.figures["turn"] for turn in record.turns][:1] == [1]
    assert record.turns[0].figures["voice_to_voice_ms"] > 0
    assert record.turns[0].figures["end_of_turn_delay_ms"] > 0
    assert record.turns[0].figures["llm_ttft_ms"] > 0
    assert record.turns[0].figures["tts_ttfb_ms"] > 0
    assert record.turns[0].figures["preempted"] is True
    assert _count(box.get("/metrics"), "callbox_voice_to_voice_seconds_count") > answered


def _count(metrics: str, name: str) -> float:
    return next(float(line.split()[1]) for line in metrics.splitlines() if line.startswith(f"{name} "))
