"""Prefill driven by a call's events."""

import asyncio

import pytest

from agent.call.events import CallEnded, CallerStartedSpeaking, CallerTranscript, EndReason, TurnOver
from agent.call.spoken import Spoken
from agent.replies.prefill import Prefill
from agent.replies.prefill_policy import NEW_WORDS
from serving.chat import ChatMessage, ChatRequest
from serving.speech import TranscriptStage, Word
from tests.published import Published
from tests.scripted import ScriptedLlm
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit

INTERIM, PREFLIGHT, FINAL = TranscriptStage.INTERIM, TranscriptStage.PREFLIGHT, TranscriptStage.FINAL
LONG = "i would like to book an appointment with doctor chen on friday"


class SlowReader(ScriptedLlm):
    """Takes `prefill_s` to read a prompt."""

    def __init__(self, *, prefill_s: float) -> None:
        super().__init__(lambda request: [])
        self.prefill_s = prefill_s
        self.read: list[ChatRequest] = []
        """The requests it has read to the end."""

    async def prefill(self, request: ChatRequest) -> None:
        await super().prefill(request)
        await asyncio.sleep(self.prefill_s)
        self.read.append(request)


class Call:
    """A call whose prompts are prefilled."""

    def __init__(self, *, prefill_s: float = 0.0) -> None:
        self.engine = SlowReader(prefill_s=prefill_s)
        self.events = Published()
        Prefill(self.engine, self.events, lambda words: ChatRequest((ChatMessage("user", words),)))

    async def speech_begins(self) -> None:
        """The VAD detects the caller's speech."""
        self.events.publish(CallerStartedSpeaking())
        await asyncio.sleep(0.01)

    async def recognise(self, text: str, stage: TranscriptStage = INTERIM, *, settled_words: int = 0) -> None:
        """The words of the utterance so far are recognised."""
        words = tuple(Word(word, 0.3 * at, 0.3 * at + 0.3) for at, word in enumerate(text.split()))
        self.events.publish(CallerTranscript(stage, Spoken(text, words), settled_words))
        await asyncio.sleep(0.01)

    @property
    def prompts(self) -> list[str]:
        """The prompts that it began to read."""
        return [request.messages[0].text for request in self.engine.prefilled]


@in_virtual_time
async def test_the_prompt_so_far_is_read_when_the_caller_begins() -> None:
    call = Call()
    await call.speech_begins()
    await call.speech_begins()
    assert call.prompts == [""]


@in_virtual_time
async def test_only_settled_words_are_read() -> None:
    call = Call()
    await call.speech_begins()
    await call.recognise(LONG, settled_words=NEW_WORDS - 1)
    assert call.prompts == [""]
    await call.recognise(LONG, settled_words=NEW_WORDS)
    assert call.prompts == ["", " ".join(LONG.split()[:NEW_WORDS])]


@pytest.mark.parametrize("stage", [PREFLIGHT, FINAL])
@in_virtual_time
async def test_words_that_are_answered_anyway_are_not_read_ahead(stage: TranscriptStage) -> None:
    call = Call()
    await call.speech_begins()
    await call.recognise(LONG, stage, settled_words=len(LONG.split()))
    assert call.prompts == [""]


@in_virtual_time
async def test_earlier_utterances_come_first() -> None:
    call = Call()
    await call.speech_begins()
    await call.recognise(LONG, FINAL)
    await call.recognise("in the morning", FINAL)
    await call.speech_begins()
    assert call.prompts == ["", f"{LONG} in the morning"]


@in_virtual_time
async def test_one_prompt_is_read_at_a_time() -> None:
    call = Call(prefill_s=1.0)
    await call.speech_begins()
    await call.recognise(LONG, settled_words=NEW_WORDS)
    assert call.prompts == [""]
    await asyncio.sleep(1.0)
    await call.recognise(LONG, settled_words=NEW_WORDS + 1)
    assert call.prompts == ["", " ".join(LONG.split()[: NEW_WORDS + 1])]


@in_virtual_time
async def test_the_end_of_a_turn_stops_the_prefill_and_the_next_turn_starts_afresh() -> None:
    call = Call(prefill_s=1.0)
    await call.speech_begins()
    await call.recognise(LONG, FINAL)
    call.events.publish(TurnOver())
    await asyncio.sleep(5.0)
    assert call.engine.read == []
    await call.speech_begins()
    assert call.prompts == ["", ""]


@in_virtual_time
async def test_the_end_of_a_call_stops_the_prefill() -> None:
    call = Call(prefill_s=1.0)
    await call.speech_begins()
    call.events.publish(CallEnded(EndReason.CALLER_LEFT))
    await asyncio.sleep(5.0)
    assert call.engine.read == []


@in_virtual_time
async def test_an_engine_that_cannot_read_ahead_is_not_asked() -> None:
    call = Call()
    call.engine.reads_ahead = False
    await call.speech_begins()
    await call.recognise(LONG, settled_words=10)
    assert call.prompts == []


@in_virtual_time
async def test_an_engine_failure_is_left_for_the_reply_to_report() -> None:
    call = Call()
    call.engine.is_dead = True
    await call.speech_begins()
    call.engine.is_dead = False
    await call.recognise(LONG, settled_words=NEW_WORDS)
    assert [request.messages[0].text for request in call.engine.read] == [" ".join(LONG.split()[:NEW_WORDS])]
    assert {type(payload) for payload in call.events.payloads} == {CallerStartedSpeaking, CallerTranscript}
