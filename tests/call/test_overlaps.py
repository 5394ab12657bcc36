"""The interruption engine in a real call, behind LiveKit's own detector: each verdict reaches the call that it is about."""

import asyncio
import math
import re
import secrets
from pathlib import Path
from typing import Any

import pytest

from agent.call.events import OverlapVerdict
from scripts.caller.clock import RATE
from scripts.caller.conversation import CallRecord
from scripts.caller.measure import AGENT_THRESHOLD_DBFS, Span, spans
from scripts.caller.mouth import Kind
from tests.call.conftest import RunningBox, run_box
from tests.livekit_server import LiveKitServer

pytestmark = pytest.mark.call

_QUESTION = "what are your opening hours"
_ANSWER = "We open weekdays from eight thirty to six, and Saturday from nine to one."
_HANG_UP = {"when": ".", "hang_up": True}


def certain(hears: str) -> dict[str, Any]:
    """Settings of a box whose interruption engine always gives this verdict."""
    choice = {"engine": "certain", "model": "silero-vad", "options": {"hears": hears}}
    return {"engines": {"interruption": choice}}


def counted(box: RunningBox) -> dict[str, int]:
    """Overlaps by verdict since the worker started; verdicts with none are left out."""
    pattern = r'^callbox_overlaps_total\{verdict="(\w+)"\} ([\d.]+)$'
    found = {verdict: int(float(count)) for verdict, count in re.findall(pattern, box.get("/metrics"), re.MULTILINE)}
    assert found.keys() <= {verdict.value for verdict in OverlapVerdict}
    return {verdict: count for verdict, count in found.items() if count}


def cut_replies(box: RunningBox, room: str) -> list[str]:
    """The interrupted replies, as far as they were heard."""
    return [entry["text"] for entry in box.history(room) if entry["role"] == "assistant" and entry["interrupted"]]


def starts_s(record: CallRecord) -> list[float]:
    """When each of the caller's utterances began, in the recordings."""
    return [utterance.start_sample / RATE for utterance in record.utterances if utterance.start_sample is not None]


def sounds_from(record: CallRecord, index: int) -> list[Span]:
    """The stretches in which the agent was audible from the beginning of one utterance to that of the next."""
    begins_s, ends_s = [*starts_s(record), math.inf][index : index + 2]
    sounds = spans(record.agent, AGENT_THRESHOLD_DBFS, 0.45)
    return [sound for sound in sounds if sound.end_s > begins_s and sound.start_s < ends_s]


async def test_a_sound_stops_its_own_calls_agent_before_its_words_are_known(
    livekit_server: LiveKitServer, tmp_path: Path
) -> None:
    backchannel = {"when": "open", "barge_in_after_s": 0.8, "say": "mm hmm", "times": 1}
    with run_box(livekit_server, tmp_path, "tests.call.certain_interruption", **certain("interruption")) as box:
        record, _ = await asyncio.gather(
            box.hold({"opening": _QUESTION, "rules": [backchannel, _HANG_UP]}, room="sound"),
            box.hold({"opening": _QUESTION, "rules": [_HANG_UP]}, room="silent", voice="awb"),
        )
        assert counted(box) == {"interruption": 1}
    assert cut_replies(box, "silent") == []
    (heard,) = cut_replies(box, "sound")
    assert _ANSWER.startswith(heard)
    assert len(heard) < len(_ANSWER)
    assert sounds_from(record, 1)[0].end_s < starts_s(record)[1] + 1.0


async def test_a_sound_that_is_no_interruption_leaves_the_reply_but_words_stop_it(
    livekit_server: LiveKitServer, tmp_path: Path
) -> None:
    backchannel = {
        "when": "open",
        "backchannel": {"after_s": 0.8, "say": "mm hmm"},
        "say": "where can i park",
        "times": 1,
    }
    barge_in = {"when": "park", "barge_in_after_s": 1.0, "say": "wait stop hold on a second", "times": 1}
    with run_box(livekit_server, tmp_path, "tests.call.certain_interruption", **certain("other")) as box:
        await box.hold({"opening": _QUESTION, "rules": [barge_in, backchannel, _HANG_UP]}, room="waved-off")
        assert counted(box) == {"other": 1, "interruption": 1}
    replies = [entry["text"] for entry in box.history("waved-off") if entry["role"] == "assistant"]
    assert any(_ANSWER in reply for reply in replies)
    (heard,) = cut_replies(box, "waved-off")
    assert "park" in heard


async def test_without_the_engine_words_stop_the_agent_and_backchannels_do_not(
    livekit_server: LiveKitServer, tmp_path: Path
) -> None:
    backchannel = {
        "when": "open",
        "backchannel": {"after_s": 0.8, "say": "mm hmm"},
        "say": "where can i park",
        "times": 1,
    }
    barge_in = {"when": "park", "barge_in_after_s": 1.0, "say": "wait stop hold on a second", "times": 1}
    with run_box(livekit_server, tmp_path, "tests.call.certain_interruption", **certain("nothing")) as box:
        # the recogniser sometimes makes words of rms's backchannel, which only the sound could tell apart
        await box.hold({"opening": _QUESTION, "rules": [barge_in, backchannel, _HANG_UP]}, room="dead", voice="awb")
        assert counted(box) == {"fallback": 1, "interruption": 1}
    assert len(cut_replies(box, "dead")) == 1
    assert not re.search(r"error|Traceback", box.log.read_text(), re.IGNORECASE)


@pytest.mark.parametrize("voice", ["rms", "awb"])
async def test_backchannels_and_noise_leave_no_gap_in_a_reply(box: RunningBox, voice: str) -> None:
    sounds = {"open": "mm hmm", "park": "[cough]", "medicare": "[keyboard]", "lane": "[noise]"}
    questions = [_QUESTION, "where can i park", "which insurance do you take", "what is your address", "goodbye"]
    rules = [
        {"when": about, "backchannel": {"after_s": 0.8, "say": sound}, "say": question, "times": 1}
        for (about, sound), question in zip(sounds.items(), questions[1:], strict=True)
    ]
    rules[-1]["hang_up"] = True
    room = f"not-meant-{voice}-{secrets.token_hex(4)}"
    record = await box.hold({"opening": _QUESTION, "rules": rules}, room=room, voice=voice)

    assert record.problems == [], [
        (exchange.utterance and exchange.utterance.line.text, exchange.reply) for exchange in record.exchanges
    ]
    assert [utterance.line.text for utterance in record.utterances if utterance.kind is Kind.BACKCHANNEL] == [
        *sounds.values()
    ]
    for index, utterance in enumerate(record.utterances):
        if utterance.kind is Kind.BACKCHANNEL:
            (reply,) = sounds_from(record, index)  # without a pause
            assert reply.start_s < starts_s(record)[index]
    assert cut_replies(box, room) == []
    said = [entry["text"] for entry in box.history(room) if entry["role"] == "user"]
    assert said == questions[: len(said)]
