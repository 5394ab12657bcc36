"""LocalStt: what a session receives of what the engine recognises."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from agent.adapters.audio import frame_from
from agent.adapters.stt import LocalStt
from agent.call.events import BargeIn, CallerTranscript, CallerUnintelligible, CallState, Payload
from agent.turns.caller_turn import CallerTurn
from agent.turns.judged_words import judged_words
from serving.audio import AudioChunk
from serving.speech import SpeechEnded, SpeechStarted
from tests.agent.adapters.listening import FINAL, INTERIM, PREFLIGHT, Kind, listening, transcript, utterance
from tests.published import Published
from tests.scripted import ListedStt
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit


@in_virtual_time
async def test_every_stage_becomes_its_kind_of_event() -> None:
    async with listening() as heard:
        await heard.say(*utterance((INTERIM, "where"), (PREFLIGHT, "where can"), (FINAL, "where can")))
        assert heard.passed_on() == [
            (Kind.START_OF_SPEECH, ""),
            (Kind.INTERIM_TRANSCRIPT, "where"),
            (Kind.PREFLIGHT_TRANSCRIPT, "where can"),
            (Kind.FINAL_TRANSCRIPT, "where can"),
            (Kind.END_OF_SPEECH, ""),
        ]


@in_virtual_time
async def test_words_carry_their_times() -> None:
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
async def test_times_are_shifted_by_livekits_start_offset() -> None:
    async with listening() as heard:
        heard.stream.start_time_offset = 20.0
        await heard.say(*utterance((FINAL, "where can")))
        data = heard.events[1].alternatives[0]
        assert data.start_time == pytest.approx(21.0)
        assert data.words is not None
        assert data.words[0].start_time == pytest.approx(21.0)


@in_virtual_time
async def test_a_final_reports_how_long_its_speech_was() -> None:
    async with listening() as heard:
        await heard.say(*utterance((INTERIM, "where"), (FINAL, "where can i park")))
        (usage,) = [event.recognition_usage for event in heard.events if event.type is Kind.RECOGNITION_USAGE]
        assert usage is not None
        assert usage.audio_duration == pytest.approx(1.2)


@in_virtual_time
async def test_audio_flushes_and_the_end_of_input_reach_the_engine() -> None:
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
async def test_closing_the_stream_closes_the_engines_stream() -> None:
    async with listening() as heard:
        await heard.hear(0.1)
    assert heard.engine_stream.is_closed


@in_virtual_time
async def test_an_utterance_without_words_is_published_as_unintelligible() -> None:
    async with listening() as heard:
        silent = replace(transcript(FINAL, ""), end_s=1.8)
        await heard.say(SpeechStarted(1.0), silent, SpeechEnded(2.0))
        (unintelligible,) = heard.call.payloads
        assert isinstance(unintelligible, CallerUnintelligible)
        assert unintelligible.speech_s == pytest.approx(0.8)
        assert heard.passed_on() == [(Kind.START_OF_SPEECH, ""), (Kind.END_OF_SPEECH, "")]


@in_virtual_time
async def test_the_turn_detector_learns_of_speech_without_words() -> None:
    async with listening() as heard:
        silent = replace(transcript(FINAL, ""), end_s=1.8)
        await heard.say(*utterance((FINAL, "where can")), SpeechStarted(1.0), silent)
        assert heard.turn.words == "where can"
        assert heard.turn.words_to_judge == f"where can {judged_words('', 0.8)}"
        heard.call.state = CallState.AGENT_SPEAKING
        await heard.say(SpeechStarted(3.0), silent)
        assert heard.turn.words_to_judge == f"where can {judged_words('', 0.8)}"


@in_virtual_time
async def test_unintelligible_speech_under_the_agents_voice_is_not_published() -> None:
    async with listening() as heard:
        heard.call.state = CallState.AGENT_SPEAKING
        await heard.say(*utterance((FINAL, "")))
        assert heard.call.payloads == []


@pytest.mark.parametrize("text", ["mm hmm", "yeah okay", "i see"])
@in_virtual_time
async def test_a_backchannel_under_the_agents_voice_is_withheld(text: str) -> None:
    async with listening() as heard:
        heard.call.state = CallState.AGENT_SPEAKING
        await heard.say(*utterance((INTERIM, text), (PREFLIGHT, text), (FINAL, text)))
        assert {kind for kind, _ in heard.passed_on()} == {Kind.START_OF_SPEECH, Kind.END_OF_SPEECH}
        assert heard.call.payloads == []


@in_virtual_time
async def test_a_barge_in_is_published_once_and_what_follows_is_passed_on() -> None:
    async with listening() as heard:
        heard.call.state = CallState.AGENT_SPEAKING
        await heard.say(SpeechStarted(1.0), transcript(INTERIM, "yeah"))
        assert (heard.call.payloads, heard.passed_on()) == ([], [(Kind.START_OF_SPEECH, "")])
        await heard.say(transcript(INTERIM, "yeah what about"))
        assert heard.call.of(BargeIn) == [BargeIn()]
        await heard.say(transcript(PREFLIGHT, "yeah what about tuesday"), transcript(FINAL, "yeah what about tuesday"))
        assert heard.call.of(BargeIn) == [BargeIn()]
        assert [text for kind, text in heard.passed_on() if kind is not Kind.START_OF_SPEECH] == [
            "yeah what about",
            "yeah what about tuesday",
            "yeah what about tuesday",
        ]


@in_virtual_time
async def test_a_barge_in_is_published_before_its_words() -> None:
    async with listening() as heard:
        heard.call.state = CallState.AGENT_SPEAKING
        order: list[tuple[type[Payload], int]] = []
        heard.call.react(lambda payload: order.append((type(payload), len(heard.events))))
        await heard.say(SpeechStarted(1.0))
        await heard.say(transcript(INTERIM, "wait"))
        assert order == [(BargeIn, 1), (CallerTranscript, 1)]
        assert heard.passed_on()[-1] == (Kind.INTERIM_TRANSCRIPT, "wait")


@in_virtual_time
async def test_a_backchannel_that_outlasts_the_agents_voice_is_passed_on() -> None:
    async with listening() as heard:
        heard.call.state = CallState.AGENT_SPEAKING
        await heard.say(SpeechStarted(1.0), transcript(INTERIM, "yeah"))
        heard.call.state = CallState.LISTENING
        await heard.say(transcript(FINAL, "yeah"))
        assert heard.passed_on()[-1] == (Kind.FINAL_TRANSCRIPT, "yeah")
        assert heard.call.of(BargeIn) == []


@in_virtual_time
async def test_words_that_began_before_the_agent_spoke_are_passed_on() -> None:
    async with listening() as heard:
        await heard.say(SpeechStarted(1.0))
        heard.call.state = CallState.AGENT_SPEAKING
        await heard.say(transcript(INTERIM, "okay"), transcript(FINAL, "okay"))
        assert [kind for kind, _ in heard.passed_on()[1:]] == [Kind.INTERIM_TRANSCRIPT, Kind.FINAL_TRANSCRIPT]


@in_virtual_time
async def test_the_next_utterance_is_judged_on_its_own() -> None:
    async with listening() as heard:
        heard.call.state = CallState.AGENT_SPEAKING
        await heard.say(*utterance((FINAL, "wait stop")))
        await heard.say(*utterance((FINAL, "okay")))
        assert heard.call.of(BargeIn) == [BargeIn()]
        assert [text for kind, text in heard.passed_on() if kind is Kind.FINAL_TRANSCRIPT] == ["wait stop"]


@in_virtual_time
async def test_every_transcript_is_published_with_its_settled_words() -> None:
    async with listening() as heard:
        interim = transcript(INTERIM, "where can i park")
        await heard.say(SpeechStarted(1.0), replace(interim, agreed_words=0), replace(interim, agreed_words=3))
        await heard.say(transcript(PREFLIGHT, "where can i park"), transcript(FINAL, "where can i park"))
        published = heard.call.of(CallerTranscript)
        assert [(one.stage, one.said.text) for one in published] == [
            (stage, "where can i park") for stage in (INTERIM, INTERIM, PREFLIGHT, FINAL)
        ]
        settled = [[word.text for word in one.said.words[: one.settled_words]] for one in published[:2]]
        assert settled == [[], ["where", "can", "i"]]


@in_virtual_time
async def test_published_words_have_their_times_in_the_call() -> None:
    async with listening() as heard:
        await asyncio.sleep(5.0)
        await heard.hear(2.0)  # it arrived all at once, so it began 3 s into the call
        await heard.say(*utterance((FINAL, "where can")))
        (published,) = heard.call.of(CallerTranscript)
        assert [word.text for word in published.said.words] == ["where", "can"]
        assert [word.start_s for word in published.said.words] == pytest.approx([4.0, 4.3], abs=0.01)
        assert [word.end_s for word in published.said.words] == pytest.approx([4.3, 4.6], abs=0.01)


@in_virtual_time
async def test_backchannels_are_not_published() -> None:
    async with listening() as heard:
        heard.call.state = CallState.AGENT_SPEAKING
        await heard.say(SpeechStarted(1.0), replace(transcript(INTERIM, "yeah"), agreed_words=1))
        assert heard.call.of(CallerTranscript) == []


def unused() -> LocalStt:
    """A LocalStt that is never fed."""
    events = Published()
    return LocalStt(ListedStt(), language="en", events=events, turn=CallerTurn(events))


async def test_finished_recordings_are_not_supported() -> None:
    local = unused()
    assert not local.capabilities.offline_recognize
    with pytest.raises(NotImplementedError, match=r"use stream\(\)"):
        await local.recognize(frame_from(AudioChunk(np.zeros(160, np.int16), 16_000)))


def test_its_capabilities() -> None:
    local = unused()
    assert (local.model, local.provider) == ("stt", "callbox")
    assert local.capabilities.streaming
    assert local.capabilities.interim_results
    assert local.capabilities.aligned_transcript == "word"
    assert not local.capabilities.manual_flush
