"""A caller who stops to think in mid-line, over a real room: a reply to half a line leaves no trace."""

from itertools import cycle, pairwise

import pytest
from prometheus_client.parser import text_string_to_metric_families

from agent.replies.speculation_policy import SpeculationLimits
from scripts.caller.conversation import Conversation
from scripts.caller.dialogue import Dialogue
from scripts.caller.pausing import PausingVoice
from scripts.caller.voice import load_voice
from tests.call.conftest import RunningBox

pytestmark = pytest.mark.call

MAX_CLAUSE_S = 6.0
"""No first clause of the demo model is longer."""
MAX_TOKENS_AHEAD = SpeculationLimits().max_tokens_ahead


def counted(box: RunningBox, name: str) -> dict[str, float]:
    """A counter's values by label value."""
    families = text_string_to_metric_families(box.get("/metrics"))
    samples = [sample for family in families for sample in family.samples if sample.name == f"callbox_{name}_total"]
    return {next(iter(sample.labels.values())): sample.value for sample in samples}


DIALOGUE = {
    "opening": "which insurance do you take",
    "rules": [
        {"when": ".", "say": "what are your opening hours", "times": 1},
        {"when": ".", "say": "where is the lab", "times": 1},
        {"when": ".", "say": "no that is all thank you", "times": 1},
        {"when": ".", "hang_up": True},
    ],
}


async def test_pauses_within_lines_waste_no_more_than_a_clause(box: RunningBox) -> None:
    said = load_voice("rms")
    voice = PausingVoice(said.name, said.root, said.files, cycle([0.5]))
    names = ("speculations", "reply_audio_seconds", "reply_tokens")
    before = {name: counted(box, name) for name in names}

    async with box.call("pausing") as call:
        record = await Conversation(call, voice, Dialogue.model_validate(DIALOGUE)).hold("pausing")

    history = [entry["role"] for entry in box.history("pausing")]
    assert history.count("user") >= 3
    assert all(pair != ("assistant", "assistant") for pair in pairwise(history))
    assert 0 < len(record.turns) <= history.count("user")
    work = {
        name: {label: value - before[name].get(label, 0.0) for label, value in counted(box, name).items()}
        for name in names
    }
    begun = work["speculations"]
    assert sum(begun.values()) > 0
    assert work["reply_audio_seconds"].get("wasted", 0.0) <= MAX_CLAUSE_S * begun.get("thrown_away", 0.0)
    assert work["reply_tokens"].get("wasted", 0.0) <= MAX_TOKENS_AHEAD * begun.get("thrown_away", 0.0)
    assert work["reply_tokens"]["useful"] > 0
    assert work["reply_audio_seconds"]["useful"] > 0
