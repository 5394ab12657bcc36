"""A caller who stops to think in the middle of a line, over a real room: what was begun for half a line leaves no trace."""

from itertools import cycle

import pytest
from prometheus_client.parser import text_string_to_metric_families

from scripts.caller.conversation import Conversation
from scripts.caller.dialogue import find_dialogue
from scripts.caller.goal import unmet
from scripts.caller.pausing import PausingVoice
from scripts.caller.voice import load_voice
from tests.call.conftest import RunningBox

pytestmark = pytest.mark.call

LONGEST_CLAUSE_S = 6.0
"""No first clause of the demo model's is longer."""


def counted(box: RunningBox, name: str) -> dict[str, float]:
    """A counter's values by the value of its label."""
    families = text_string_to_metric_families(box.get("/metrics"))
    samples = [sample for family in families for sample in family.samples if sample.name == f"callbox_{name}_total"]
    return {next(iter(sample.labels.values())): sample.value for sample in samples}


async def test_pauses_within_lines_leave_one_booking_and_one_answer_a_turn(box: RunningBox) -> None:
    dialogue = find_dialogue("book")
    said = load_voice("rms")
    voice = PausingVoice(said.name, said.root, said.files, cycle([0.6]))
    names = ("speculations", "reply_audio_seconds", "reply_tokens")
    before, clinic = {name: counted(box, name) for name in names}, box.get("/clinic")

    async with box.call("pausing") as call:
        record = await Conversation(call, voice, dialogue).hold("pausing")

    assert unmet(dialogue.goal, clinic, box.get("/clinic"), record.agent_said) == []
    booked = [visit for visit in box.get("/clinic")["appointments"] if visit not in clinic["appointments"]]
    assert len(booked) == 1
    history = [entry["role"] for entry in box.history("pausing")]
    assert len(record.turns) <= history.count("user")
    work = {
        name: {label: value - before[name].get(label, 0.0) for label, value in counted(box, name).items()}
        for name in names
    }
    begun = work["speculations"]
    assert sum(begun.values()) > 0
    assert work["reply_audio_seconds"].get("wasted", 0.0) <= LONGEST_CLAUSE_S * begun.get("thrown_away", 0.0)
    assert work["reply_tokens"]["useful"] > 0
    assert work["reply_audio_seconds"]["useful"] > 0
