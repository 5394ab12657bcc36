"""A caller without a headset: the echo of the agent's voice neither interrupts it nor counts as the caller's words."""

from uuid import uuid4

import pytest

from scripts.bench.echo.paths import PATHS, EchoPath
from scripts.caller.conversation import CallRecord, Conversation
from scripts.caller.dialogue import Dialogue
from scripts.caller.loudspeaker import Loudspeaker
from scripts.caller.voice import load_voice
from tests.call.conftest import RunningBox

pytestmark = pytest.mark.call

_QUESTION = "what are your opening hours"
_ANSWER = "We open weekdays from eight thirty to six, and Saturday from nine to one."
"""How the demo model answers it, before it asks something in return."""


async def hold(box: RunningBox, path: EchoPath, dialogue: dict[str, object], room: str) -> CallRecord:
    """Hold a whole telephone call whose caller uses a loudspeaker."""
    call = box.call(room, is_telephone=True)
    call.listen_aloud(Loudspeaker(path.response(), gain_db=path.gain_db, drive=path.drive))
    async with call:
        return await Conversation(call, load_voice("rms"), Dialogue.model_validate(dialogue)).hold(room)


@pytest.mark.parametrize("path", [PATHS["laptop"], PATHS["speakerphone"]], ids=lambda path: path.name)
async def test_the_agent_does_not_hear_itself(box: RunningBox, path: EchoPath) -> None:
    room = f"echo-{path.name}-{uuid4().hex[:6]}"
    record = await hold(
        box,
        path,
        {
            "opening": _QUESTION,
            "rules": [
                {"when": "goodbye", "hang_up": True},
                {"when": "open", "say": "where can i park", "times": 1},
                {"when": ".", "say": "no that is all thank you", "times": 2},
            ],
        },
        room,
    )

    history = box.history(room)
    assert not record.problems
    assert [entry["text"] for entry in history if entry["role"] == "assistant" and entry["interrupted"]] == []
    said = [entry["text"] for entry in history if entry["role"] == "user"]
    assert said == [utterance.line.text for utterance in record.utterances], history


@pytest.mark.parametrize("after_s", [1.0, 2.0])
async def test_a_caller_without_a_headset_can_interrupt(box: RunningBox, after_s: float) -> None:
    """Speech over the echo stops the agent, even if not all of its words are understood."""
    room = f"echo-interrupted-{after_s}-{uuid4().hex[:6]}"
    await hold(
        box,
        PATHS["speakerphone"],
        {
            "opening": _QUESTION,
            "rules": [
                {"when": "open", "barge_in_after_s": after_s, "say": "wait stop hold on a second", "times": 1},
                {"when": ".", "hang_up": True},
            ],
        },
        room,
    )

    history = box.history(room)
    cut = [entry["text"] for entry in history if entry["role"] == "assistant" and entry["interrupted"]]
    assert len(cut) == 1, history
    assert len(cut[0].split()) < len(_ANSWER.split()), history
