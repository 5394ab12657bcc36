"""A caller whose sound reaches a turn stream the way LiveKit and the VAD deliver it."""

import asyncio

from livekit.agents.voice.turn import TurnDetectionEvent

from agent.adapters.audio import frame_from
from agent.adapters.turn import LocalTurnDetector, LocalTurnStream
from agent.call.events import TurnDecided, TurnJudged
from agent.turns.caller_turn import CallerTurn
from agent.turns.endpointing import EndpointingOptions
from serving.audio import AudioChunk, Pcm16, Pcm32
from serving.engine import TurnEngine
from serving.speech import TranscriptStage
from serving.vad.gate import Gate, GateClosed, GateOpened, GateOptions
from tests.published import Published
from tests.scripted import ScriptedVad, Sounds, noise

FRAME_S = 0.032
"""One VAD window, so that times come out even."""
ASKED_AFTER_S = 0.2
"""How far into a silence LiveKit asks."""


class Pausing:
    """A caller who speaks and pauses in real frames, and the answers that LiveKit would get."""

    def __init__(self, engine: TurnEngine, sounds: Sounds, options: EndpointingOptions | None = None) -> None:
        self.sounds = sounds
        self.call = Published()
        """The call's events."""
        self.turn = CallerTurn(self.call)
        self.detector = LocalTurnDetector(engine, options or EndpointingOptions(), turn=self.turn, events=self.call)
        self.stream: LocalTurnStream = self.detector.stream()
        self.answer: asyncio.Future[TurnDetectionEvent] | None = None
        self.answered_after_s: float | None = None
        """Silence after which the question was answered."""
        self._vad = ScriptedVad().open()
        self._gate = Gate(GateOptions())
        self._speech_ended_at = 0.0

    @property
    def judged(self) -> list[float]:
        """The judgements that were published."""
        return [judged.probability for judged in self.call.of(TurnJudged)]

    def commit(self) -> TurnDecided:
        """LiveKit commits the turn. Returns how the turn was decided."""
        before = len(self.call.of(TurnDecided))
        self.stream.flush("turn committed")
        (decided,) = self.call.of(TurnDecided)[before:]
        return decided

    async def say(self, text: str, *, ends_turn: bool = True, in_words: bool = True) -> None:
        """Speak. The words are recognised at once."""
        self.turn.utterance_began()
        await self._play(self.sounds.speech(text, ends_turn=ends_turn))
        if in_words:
            self.recognised(text)

    def recognised(self, text: str) -> None:
        """The words of the utterance are in."""
        self.turn.heard_words(text, TranscriptStage.FINAL)
        self.turn.utterance_over()

    def not_recognised(self, speech_s: float) -> None:
        """The utterance was unintelligible."""
        self.turn.unintelligible(speech_s)
        self.turn.utterance_over()

    async def make_noise(self, duration_s: float) -> None:
        """Sound without words."""
        await self._play(noise(duration_s))

    async def pause(self, duration_s: float) -> None:
        """Say nothing."""
        await self._play(0 * noise(duration_s))

    async def _play(self, samples: Pcm16) -> None:
        step = round(FRAME_S * 16_000)
        for at in range(0, len(samples), step):
            await asyncio.sleep(FRAME_S)
            chunk = AudioChunk(samples[at : at + step], 16_000)
            self.stream.push_audio(frame_from(chunk))
            self._follow(chunk.to_float())

    def _follow(self, samples: Pcm32) -> None:
        for verdict in self._vad.push(samples):
            decision = self._gate.push(verdict)
            self.turn.heard_window(self._gate, verdict.end_s)
            if isinstance(decision, GateOpened) or (self._gate.is_open and self._gate.speech_run_s > 0):
                self._take_back()
            is_silent = self._gate.silence_run_s >= ASKED_AFTER_S and self._gate.is_open
            if self.answer is None and (is_silent or isinstance(decision, GateClosed)):
                self._ask()

    def _ask(self) -> None:
        self.answer = self.stream.predict()
        self.answer.add_done_callback(lambda done: self._answered())

    def _answered(self) -> None:
        self.answered_after_s = self.turn.silence_s()

    def _take_back(self) -> None:
        if self.answer is not None:
            self.stream.cancel_inference()
        self.answer = self.answered_after_s = None
