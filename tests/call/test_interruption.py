"""Speech over the agent's voice: a barge-in stops it, a backchannel does not, and the history holds what was heard."""

import pytest

from models.store import open_store
from scripts.caller.clock import RATE
from scripts.caller.conversation import CallRecord
from scripts.caller.measure import AGENT_THRESHOLD_DBFS, spans
from scripts.caller.mouth import Kind
from serving.tts.piper import PiperEngine, PiperOptions
from tests.call.conftest import RunningBox
from tests.speaking import spoken_words

pytestmark = pytest.mark.call

_QUESTION = "what are your opening hours"
_ANSWER = "We open weekdays from eight thirty to six, and Saturday from nine to one."
"""How the demo model answers it from configs/clinic.yaml, before it asks something in return."""


@pytest.mark.parametrize("after_s", [0.6, 1.3, 2.0])
async def test_the_history_ends_at_the_last_word_heard(box: RunningBox, after_s: float) -> None:
    room = f"interrupted-{after_s}"
    record = await box.hold(
        {
            "opening": _QUESTION,
            "rules": [
                {"when": "open", "barge_in_after_s": after_s, "say": "wait stop hold on a second", "times": 1},
                {"when": ".", "hang_up": True},
            ],
        },
        room=room,
    )

    cut = [entry for entry in box.history(room) if entry["role"] == "assistant" and entry["interrupted"]]
    assert len(cut) == 1
    remembered = cut[0]["text"].split()
    heard = await _words_in(_interrupted_sound_s(record), of=_ANSWER)
    assert abs(len(remembered) - len(heard)) <= 1, (remembered, heard)
    assert remembered == _ANSWER.split()[: len(remembered)]


async def test_a_backchannel_does_not_end_the_reply(box: RunningBox) -> None:
    record = await box.hold(
        {
            "opening": _QUESTION,
            "rules": [
                {"when": "open", "backchannel": {"after_s": 0.8, "say": "mm hmm"}, "say": "goodbye", "hang_up": True},
            ],
        },
        room="backchannel",
    )

    said = [entry for entry in box.history("backchannel") if entry["role"] == "assistant"]
    assert any(
        _ANSWER in entry["text"] and entry["text"].endswith("?") and not entry["interrupted"] for entry in said
    ), said
    assert [utterance.kind for utterance in record.utterances] == [Kind.LINE, Kind.BACKCHANNEL, Kind.LINE]


def _interrupted_sound_s(record: CallRecord) -> float:
    """How long the interrupted reply was audible."""
    barge_in = record.utterances[-1]
    assert barge_in.start_sample is not None
    at_s = barge_in.start_sample / RATE
    replies = [span for span in spans(record.agent, AGENT_THRESHOLD_DBFS, 0.45) if span.start_s < at_s]
    return replies[-1].end_s - replies[-1].start_s


async def _words_in(sound_s: float, *, of: str) -> list[str]:
    """The words of a reply whose middle lies within its first `sound_s` seconds."""
    engine = PiperEngine(PiperOptions(room_rate=24_000), open_store().resolve("demo-voice"))
    engine.load()
    try:
        words = await spoken_words(engine, of)
    finally:
        engine.close()
    return [word.text for word in words if (word.start_s + word.end_s) / 2 - words[0].start_s <= sound_s]
