"""LiveKit's STT on top of an SttEngine."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from livekit import rtc
from livekit.agents import NOT_GIVEN, APIConnectOptions, LanguageCode, NotGivenOr, stt
from livekit.agents.utils import AudioBuffer

from agent.adapters.audio import caller_chunk, timed
from agent.adapters.errors import NO_RETRIES, api_error
from agent.adapters.replay import ReplayBuffer
from agent.call.events import BargeIn, CallerTranscript, CallerUnintelligible, EngineFailed
from agent.call.spoken import Spoken
from agent.call.stream import EventStream
from agent.turns.barge_in import Overlap, judge_overlap
from agent.turns.caller_turn import CallerTurn
from models.errors import CallboxError
from serving.audio import SPEECH_RATE, AudioChunk
from serving.engine import SttEngine, SttStream
from serving.speech import SpeechEnded, SpeechStarted, SttEvent, Transcript, TranscriptStage, Word
from serving.vad.shared import SharedVad

_Type = stt.SpeechEventType
_TYPES = {
    TranscriptStage.INTERIM: _Type.INTERIM_TRANSCRIPT,
    TranscriptStage.PREFLIGHT: _Type.PREFLIGHT_TRANSCRIPT,
    TranscriptStage.FINAL: _Type.FINAL_TRANSCRIPT,
}
_MAX_FAILURES_IN_A_ROW = 3
_ONSET_S = 1.0
"""Speech is detected within this time of its onset, so this much of the silence before it is kept."""
_REOPEN_AFTER_S = 1.0
"""Delay before reopening an engine that failed twice in a row and is being reloaded. Audio is kept meanwhile."""


class OverlapJudgement(Protocol):
    """Judges an overlap by the words so far of an utterance that began over the agent's voice."""

    def __call__(self, text: str, *, is_final: bool, words: Sequence[Word]) -> Overlap:
        """`words`: the words of `text`, with their probabilities."""
        ...


def judge_by_text(text: str, *, is_final: bool, words: Sequence[Word]) -> Overlap:
    """Judge without sound: every word counts, whatever its probability."""
    return judge_overlap(text, is_final=is_final)


class LocalStt(stt.STT[str]):
    """Streaming recognition on a shared engine. Backchannels under the agent's voice are not passed on."""

    def __init__(
        self,
        engine: SttEngine,
        *,
        language: str,
        events: EventStream,
        turn: CallerTurn,
        judge_overlap: OverlapJudgement = judge_by_text,
        vad: SharedVad | None = None,
    ) -> None:
        """`judge_overlap` tells barge-in from backchannel by the words; `vad`: the call's voice activity, or None if the engine
        is to use its own."""
        super().__init__(
            capabilities=stt.STTCapabilities(
                streaming=True, interim_results=True, aligned_transcript="word", offline_recognize=False
            )
        )
        self.engine = engine
        self.language = LanguageCode(language)
        self.events = events
        self.judge_overlap = judge_overlap
        self.turn = turn
        self.vad = vad

    @property
    def model(self) -> str:
        return self.engine.name

    @property
    def provider(self) -> str:
        return "callbox"

    async def _recognize_impl(
        self, buffer: AudioBuffer, *, language: NotGivenOr[str] = NOT_GIVEN, conn_options: APIConnectOptions
    ) -> stt.SpeechEvent:
        raise NotImplementedError("Callbox recognises speech as it is spoken; use stream().")

    def stream(
        self, *, language: NotGivenOr[str] = NOT_GIVEN, conn_options: APIConnectOptions = NO_RETRIES
    ) -> stt.RecognizeStream:
        return _LocalSttStream(self)


class _LocalSttStream(stt.RecognizeStream):
    def __init__(self, parent: LocalStt) -> None:
        super().__init__(stt=parent, conn_options=NO_RETRIES, sample_rate=SPEECH_RATE)
        self._parent = parent
        self._replay = ReplayBuffer()
        self._opened_at_s = 0.0
        self._audio_began_s = 0.0
        """When the caller's audio began, in seconds since the start of the call."""
        self._in_utterance = False
        self._began_over_agent = False
        self._failures_in_a_row = 0

    async def _run(self) -> None:
        has_ended = False
        try:
            while not has_ended:
                has_ended = await self._recognise()
        finally:
            self._parent.turn.utterance_over()

    async def _recognise(self) -> bool:
        """Recognise until the input ends (True) or the engine fails (False)."""
        try:
            vad = self._parent.vad
            await self._recognise_with(self._parent.engine.open(None if vad is None else vad.open()))
        except CallboxError as error:
            self._failures_in_a_row += 1
            self._parent.events.publish(EngineFailed("stt", type(error).__name__))
            if self._failures_in_a_row >= _MAX_FAILURES_IN_A_ROW:
                raise api_error(error) from error
            await asyncio.sleep(_REOPEN_AFTER_S * (self._failures_in_a_row - 1))
            return False
        return True

    async def _recognise_with(self, engine_stream: SttStream) -> None:
        self._opened_at_s = self._replay.start_s
        for chunk in self._replay.chunks:
            engine_stream.push(chunk)
        feeding = asyncio.create_task(self._feed(engine_stream))
        try:
            async for event in engine_stream:
                self._forward(event)
                self._failures_in_a_row = 0
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
            await engine_stream.aclose()

    async def _feed(self, engine_stream: SttStream) -> None:
        async for item in self._input_ch:
            if isinstance(item, rtc.AudioFrame):
                self._keep(chunk := caller_chunk(item))
                engine_stream.push(chunk)
            else:
                engine_stream.flush()
        engine_stream.end_input()

    def _keep(self, chunk: AudioChunk) -> None:
        """Keep audio so that a stream that replaces a failed one hears the utterance from its start."""
        self._replay.push(chunk)
        self._audio_began_s = self._parent.events.now_s - self._replay.end_s
        if not self._in_utterance:
            self._replay.forget_before(self._replay.end_s - _ONSET_S)

    def _forward(self, event: SttEvent) -> None:
        if isinstance(event, Transcript) and event.stage is TranscriptStage.FINAL:
            self._replay.forget_before(self._opened_at_s + event.end_s)
        match event:
            case SpeechStarted():
                self._in_utterance = True
                self._parent.turn.utterance_began()
                self._began_over_agent = self._parent.events.state.agent_is_speaking
                self._send(stt.SpeechEvent(type=_Type.START_OF_SPEECH))
            case SpeechEnded():
                self._in_utterance = False
                self._send(stt.SpeechEvent(type=_Type.END_OF_SPEECH))
                self._parent.turn.utterance_over()
            case Transcript(stage=TranscriptStage.FINAL, text=""):
                if not self._began_over_agent:
                    self._parent.turn.unintelligible(event.end_s - event.start_s)
                    self._parent.events.publish(CallerUnintelligible(event.end_s - event.start_s))
            case Transcript(text=""):
                pass
            case Transcript() if self._is_backchannel(event):
                pass
            case Transcript():
                self._parent.turn.heard_words(event.text, event.stage)
                self._parent.events.publish(self._transcript(event))
                self._send(stt.SpeechEvent(type=_TYPES[event.stage], alternatives=[self._data(event)]))
                if event.stage is TranscriptStage.FINAL:
                    usage = stt.RecognitionUsage(audio_duration=event.end_s - event.start_s)
                    self._send(stt.SpeechEvent(type=_Type.RECOGNITION_USAGE, recognition_usage=usage))

    def _transcript(self, transcript: Transcript) -> CallerTranscript:
        shift_s = self._opened_at_s + self._audio_began_s
        words = tuple(
            replace(word, start_s=word.start_s + shift_s, end_s=word.end_s + shift_s) for word in transcript.words
        )
        return CallerTranscript(transcript.stage, Spoken(transcript.text, words), transcript.agreed_words)

    def _is_backchannel(self, transcript: Transcript) -> bool:
        """Whether this was said over the agent's voice and is not, so far, a barge-in."""
        if not (self._began_over_agent and self._parent.events.state.agent_is_speaking):
            return False
        is_final = transcript.stage is TranscriptStage.FINAL
        verdict = self._parent.judge_overlap(transcript.text, is_final=is_final, words=transcript.words)
        if verdict is Overlap.BARGE_IN:
            self._parent.events.publish(BargeIn())
            self._began_over_agent = False
        return verdict is not Overlap.BARGE_IN

    def _send(self, event: stt.SpeechEvent) -> None:
        self._event_ch.send_nowait(event)

    def _data(self, transcript: Transcript) -> stt.SpeechData:
        shift_s = self._opened_at_s + self.start_time_offset
        return stt.SpeechData(
            language=self._parent.language,
            text=transcript.text,
            start_time=transcript.start_s + shift_s,
            end_time=transcript.end_s + shift_s,
            confidence=transcript.confidence,
            words=[timed(word, shift_s=shift_s) for word in transcript.words],
        )
