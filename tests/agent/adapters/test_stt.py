"""LocalStt: what a session hears of what the engine says."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from agent.adapters.audio import frame_from
from agent.adapters.stt import ListeningHooks, LocalStt
from agent.turns.caller_turn import CallerTurn
from agent.turns.judged_words import judged_words
from serving.audio import AudioChunk
from serving.speech import SpeechStarted, Word
from tests.agent.adapters.listening import FINAL, INTERIM, PREFLIGHT, Kind, listening, transcript, utterance
from tests.scripted import ListedStt
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit


@in_virtual_time
async def test_every_stage_has_its_kind() -> None:
    async with listening() as heard:
        await heard.say(*utterance((INTERIM, "where"), (PREFLIGHT, "where can"), (FINAL, "where can")))
        assert heard.told() == [
            (Kind.START_OF_SPEECH, ""),
            (Kind.INTERIM_TRANSCRIPT, "where"),
            (Kind.PREFLIGHT_TRANSCRIPT, "where can"),
            (Kind.FINAL_TRANSCRIPT, "where can"),
            (Kind.END_OF_SPEECH, ""),
        ]


@in_virtual_time
async def test_words_come_with_their_times() -> None:
    async with listening() as heard:
        await heard.say(*utterance((FINAL, "where can")))
        data = heard.events[1].alternatives[0]
        assert (data.language, data.confidence) == ("en", 0.9)
        assert [data.start_time, data.end_time] == pytest.approx([1.0, 1.6])
        assert data.words is not None
        assert [str(word) for word in data.words] == ["where ", "can "]
        assert [word.start_time for word in data.words] == pytest.approx([1.0, 1.3])
        assert [word.end_time for word in data.words] == pytest.approx([1.3, 1.6])


@in_virtual_time
async def test_times_count_from_where_livekit_says() -> None:
    async with listening() as heard:
        heard.stream.start_time_offset = 20.0
        await heard.say(*utterance((FINAL, "where can")))
        data = heard.events[1].alternatives[0]
        assert data.start_time == pytest.approx(21.0)
        assert data.words is not None
        assert data.words[0].start_time == pytest.approx(21.0)


@in_virtual_time
async def test_a_final_reports_how_much_speech_it_was() -> None:
    async with listening() as heard:
        await heard.say(*utterance((INTERIM, "where"), (FINAL, "where can i park")))
        (usage,) = [event.recognition_usage for event in heard.events if event.type is Kind.RECOGNITION_USAGE]
        assert usage is not None
        assert usage.audio_duration == pytest.approx(1.2)


@in_virtual_time
async def test_audio_reaches_the_engine_and_so_do_a_flush_and_the_end() -> None:
    async with listening() as heard:
        await heard.hear(0.5)
        heard.stream.flush()
        await asyncio.sleep(0.001)
        assert heard.engine_stream.heard_s == pytest.approx(0.5)
        assert heard.engine_stream.flushes == 1
        heard.stream.end_input()
        await asyncio.sleep(0.001)
        assert heard.engine_stream.input_ended
        assert heard.engine_stream.is_closed
        assert heard.error is None


@in_virtual_time
async def test_closing_reaches_the_engine() -> None:
    async with listening() as heard:
        await heard.hear(0.1)
    assert heard.engine_stream.is_closed


@in_virtual_time
async def test_an_utterance_without_words_is_told_apart_from_words() -> None:
    async with listening() as heard:
        await heard.say(*utterance((FINAL, "")))
        assert heard.no_words == 1
        assert heard.told() == [(Kind.START_OF_SPEECH, ""), (Kind.END_OF_SPEECH, "")]


@in_virtual_time
async def test_the_end_of_the_turn_is_judged_by_speech_without_words_too() -> None:
    async with listening() as heard:
        silent = replace(transcript(FINAL, ""), end_s=1.8)
        await heard.say(*utterance((FINAL, "where can")), SpeechStarted(1.0), silent)
        assert heard.turn.words == "where can"
        assert heard.turn.words_to_judge == f"where can {judged_words('', 0.8)}"
        heard.agent_speaks = True
        await heard.say(SpeechStarted(3.0), silent)
        assert heard.turn.words_to_judge == f"where can {judged_words('', 0.8)}"


@in_virtual_time
async def test_no_words_under_the_agents_voice_are_nobodys_business() -> None:
    async with listening() as heard:
        heard.agent_speaks = True
        await heard.say(*utterance((FINAL, "")))
        assert heard.no_words == 0


@pytest.mark.parametrize("text", ["mm hmm", "yeah okay", "i see"])
@in_virtual_time
async def test_a_murmur_under_the_agents_voice_is_withheld(text: str) -> None:
    async with listening() as heard:
        heard.agent_speaks = True
        await heard.say(*utterance((INTERIM, text), (PREFLIGHT, text), (FINAL, text)))
        assert {kind for kind, _ in heard.told()} == {Kind.START_OF_SPEECH, Kind.END_OF_SPEECH}
        assert heard.barge_ins == 0


@in_virtual_time
async def test_a_wish_to_speak_is_told_once_and_what_follows_is_passed_on() -> None:
    async with listening() as heard:
        heard.agent_speaks = True
        await heard.say(SpeechStarted(1.0), transcript(INTERIM, "yeah"))
        assert (heard.barge_ins, heard.told()) == (0, [(Kind.START_OF_SPEECH, "")])
        await heard.say(transcript(INTERIM, "yeah what about"))
        assert heard.barge_ins == 1
        await heard.say(transcript(PREFLIGHT, "yeah what about tuesday"), transcript(FINAL, "yeah what about tuesday"))
        assert heard.barge_ins == 1
        assert [text for kind, text in heard.told() if kind is not Kind.START_OF_SPEECH] == [
            "yeah what about",
            "yeah what about tuesday",
            "yeah what about tuesday",
        ]


@in_virtual_time
async def test_the_agent_is_stopped_before_the_words_are_told() -> None:
    async with listening() as heard:
        heard.agent_speaks = True
        order: list[str] = []
        stop = heard.stream._parent  # type: ignore[attr-defined]
        stop.hooks = ListeningHooks(
            is_agent_speaking=lambda: True,
            on_barge_in=lambda: order.append(f"stopped after {len(heard.events)} events"),
            on_no_words=lambda: None,
            on_failure=lambda error: None,
        )
        await heard.say(SpeechStarted(1.0))
        await heard.say(transcript(INTERIM, "wait"))
        assert order == ["stopped after 1 events"]
        assert heard.told()[-1] == (Kind.INTERIM_TRANSCRIPT, "wait")


@in_virtual_time
async def test_a_murmur_that_outlasts_the_agent_is_words_like_any_other() -> None:
    async with listening() as heard:
        heard.agent_speaks = True
        await heard.say(SpeechStarted(1.0), transcript(INTERIM, "yeah"))
        heard.agent_speaks = False
        await heard.say(transcript(FINAL, "yeah"))
        assert heard.told()[-1] == (Kind.FINAL_TRANSCRIPT, "yeah")
        assert heard.barge_ins == 0


@in_virtual_time
async def test_words_that_began_before_the_agent_spoke_are_passed_on() -> None:
    async with listening() as heard:
        await heard.say(SpeechStarted(1.0))
        heard.agent_speaks = True
        await heard.say(transcript(INTERIM, "okay"), transcript(FINAL, "okay"))
        assert [kind for kind, _ in heard.told()[1:]] == [Kind.INTERIM_TRANSCRIPT, Kind.FINAL_TRANSCRIPT]


@in_virtual_time
async def test_the_next_utterance_is_judged_for_itself() -> None:
    async with listening() as heard:
        heard.agent_speaks = True
        await heard.say(*utterance((FINAL, "wait stop")))
        await heard.say(*utterance((FINAL, "okay")))
        assert heard.barge_ins == 1
        assert [text for kind, text in heard.told() if kind is Kind.FINAL_TRANSCRIPT] == ["wait stop"]


@in_virtual_time
async def test_words_that_will_not_change_are_told_while_the_caller_speaks() -> None:
    async with listening() as heard:
        interim = transcript(INTERIM, "where can i park")
        await heard.say(SpeechStarted(1.0), replace(interim, agreed_words=0), replace(interim, agreed_words=3))
        await heard.say(transcript(PREFLIGHT, "where can i park"), transcript(FINAL, "where can i park"))
        assert heard.settled == ["", "where can i"]


@in_virtual_time
async def test_murmurs_are_no_words_to_reckon_with() -> None:
    async with listening() as heard:
        heard.agent_speaks = True
        await heard.say(SpeechStarted(1.0), replace(transcript(INTERIM, "yeah"), agreed_words=1))
        assert heard.settled == []


async def test_there_is_no_recognition_of_finished_recordings() -> None:
    hooks = ListeningHooks(lambda: False, lambda: None, lambda: None, lambda error: None)
    local = LocalStt(ListedStt(), language="en", hooks=hooks, turn=CallerTurn(is_agent_speaking=lambda: False))
    assert not local.capabilities.offline_recognize
    with pytest.raises(NotImplementedError, match=r"use stream\(\)"):
        await local.recognize(frame_from(AudioChunk(np.zeros(160, np.int16), 16_000)))


def test_it_tells_livekit_what_it_can_do() -> None:
    hooks = ListeningHooks(lambda: False, lambda: None, lambda: None, lambda error: None)
    local = LocalStt(ListedStt(), language="en", hooks=hooks, turn=CallerTurn(is_agent_speaking=lambda: False))
    assert (local.model, local.provider) == ("stt", "callbox")
    assert local.capabilities.streaming
    assert local.capabilities.interim_results
    assert local.capabilities.aligned_transcript == "word"
    assert not local.capabilities.manual_flush


@in_virtual_time
async def test_the_agents_own_words_are_nobodys() -> None:
    async with listening() as heard:
        asked: list[tuple[str, float]] = []

        def is_echo(words: Sequence[Word]) -> bool:
            asked.extend((word.text, word.start_s) for word in words)
            return words[0].text == "we"

        cast(LocalStt, heard.stream._stt).is_echo = is_echo
        await heard.hear(2.0)
        await heard.say(*utterance((INTERIM, "we"), (FINAL, "we open")))
        assert heard.told() == [(Kind.START_OF_SPEECH, ""), (Kind.END_OF_SPEECH, "")]
        text, start_s = asked[0]
        assert text == "we"
        assert start_s == pytest.approx(time.time() - 1.0, abs=0.01)
        await heard.say(*utterance((FINAL, "where can")))
        assert (Kind.FINAL_TRANSCRIPT, "where can") in heard.told()
