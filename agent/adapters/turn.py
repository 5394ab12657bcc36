"""LiveKit's streaming end-of-turn detector over a TurnEngine."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable

import numpy as np
from livekit import rtc
from livekit.agents import APIConnectOptions, LanguageCode
from livekit.agents.voice.turn import TurnDetectionEvent

from agent.adapters.audio import chunk_from
from agent.adapters.errors import NO_RETRIES
from models.errors import CallboxError
from serving import metrics
from serving.audio import SPEECH_RATE, Pcm32
from serving.engine import TurnEngine
from serving.speech import TurnContext

logger = logging.getLogger("callbox.turn")

JUDGEMENT_TIMEOUT_S = 0.5
"""A judgement later than this is done without."""
WORDS_TIMEOUT_S = 2.0
"""So long the end of a turn waits for words that are still being recognised."""


class LocalTurnDetector:
    """Judges ends of turns with a shared engine. Satisfies LiveKit's `_StreamingTurnDetector`.

    No judgement is given before `words_are_in`: LiveKit would take the words that it has for all there are, and answer
    the first half of a sentence while the second is being recognised.
    """

    def __init__(
        self,
        engine: TurnEngine,
        threshold: float,
        *,
        words_are_in: asyncio.Event,
        on_verdict: Callable[[float], None],
    ) -> None:
        self.engine = engine
        self.threshold = threshold
        self.words_are_in = words_are_in
        self.on_verdict = on_verdict

    @property
    def model(self) -> str:
        """The engine's name."""
        return self.engine.name

    @property
    def provider(self) -> str:
        """Who runs it."""
        return "callbox"

    def stream(self, *, conn_options: APIConnectOptions = NO_RETRIES) -> "LocalTurnStream":
        """A stream for one agent of one call."""
        return LocalTurnStream(self)


class LocalTurnStream:
    """Keeps the last seconds of the caller's audio and has them judged when LiveKit asks, 200 ms into a silence."""

    def __init__(self, parent: LocalTurnDetector) -> None:
        self._parent = parent
        self._audio: deque[Pcm32] = deque()
        self._held_samples = 0
        self._window_samples = int(parent.engine.window_s * SPEECH_RATE)
        self._resampler: rtc.AudioResampler | None = None
        self._pending: asyncio.Future[TurnDetectionEvent] | None = None
        self._judging: asyncio.Task[None] | None = None

    @property
    def model(self) -> str:
        """The engine's name."""
        return self._parent.model

    @property
    def provider(self) -> str:
        """Who runs it."""
        return self._parent.provider

    @property
    def is_fallback(self) -> bool:
        """There is no other model to fall back from."""
        return False

    @property
    def prediction_timeout(self) -> float:
        """Seconds LiveKit waits for a judgement before it does without."""
        return WORDS_TIMEOUT_S

    async def unlikely_threshold(self, language: LanguageCode | None) -> float | None:
        """Probability under which the turn counts as unfinished."""
        return self._parent.threshold

    async def backchannel_threshold(self, language: LanguageCode | None) -> float | None:
        """The engine does not judge where the agent might say "mm-hmm"."""
        return None

    async def supports_language(self, language: LanguageCode | None) -> bool:
        """Prosody is judged in every language."""
        return True

    def push_audio(self, frame: rtc.AudioFrame) -> None:
        """The caller's audio, any rate."""
        if frame.sample_rate != SPEECH_RATE and self._resampler is None:
            self._resampler = rtc.AudioResampler(frame.sample_rate, SPEECH_RATE)
        for at_rate in [frame] if self._resampler is None else self._resampler.push(frame):
            samples = chunk_from(at_rate).to_float()
            self._audio.append(samples)
            self._held_samples += len(samples)
        while self._audio and self._held_samples - len(self._audio[0]) >= self._window_samples:
            self._held_samples -= len(self._audio.popleft())

    def predict(self) -> asyncio.Future[TurnDetectionEvent]:
        """Judge what was heard up to now; replaces a judgement under way."""
        self.cancel_inference()
        pending: asyncio.Future[TurnDetectionEvent] = asyncio.get_running_loop().create_future()
        self._pending = pending
        samples = np.concatenate(self._audio) if self._audio else np.zeros(SPEECH_RATE, dtype=np.float32)
        self._judging = asyncio.create_task(self._judge(samples, pending))
        return pending

    async def _judge(self, samples: Pcm32, pending: "asyncio.Future[TurnDetectionEvent]") -> None:
        began = time.perf_counter()
        probability = await self._probability(samples)
        took_s = time.perf_counter() - began
        await self._parent.words_are_in.wait()
        self._settle(pending, probability, took_s)

    async def _probability(self, samples: Pcm32) -> float:
        """The engine's verdict; 1 if it has none, so that silence alone decides."""
        try:
            verdict = await asyncio.wait_for(self._parent.engine.predict(samples, TurnContext()), JUDGEMENT_TIMEOUT_S)
        except (CallboxError, TimeoutError) as error:
            logger.warning("end-of-turn detection failed: %s", type(error).__name__)
            metrics.ENGINE_ERRORS.labels("turn").inc()
            return 1.0
        metrics.TURN_INFERENCE.observe(verdict.inference_s)
        self._parent.on_verdict(verdict.probability)
        return verdict.probability

    def _settle(self, pending: "asyncio.Future[TurnDetectionEvent]", probability: float, took_s: float | None) -> None:
        if not pending.done():
            pending.set_result(
                TurnDetectionEvent(
                    type="eot_prediction",
                    last_speaking_time=time.time(),
                    end_of_turn_probability=probability,
                    inference_duration=took_s,
                )
            )

    def cancel_inference(self, *, timed_out: bool = False) -> None:
        """The caller went on, or the judgement came too late: it no longer matters."""
        if self._judging is not None and not self._judging.done():
            self._judging.cancel()
        if self._pending is not None:
            self._settle(self._pending, 0.0, None)
        self._judging = self._pending = None

    def flush(self, reason: str | None = None) -> None:
        """The turn is over: its audio says nothing about the next one."""
        self._audio.clear()
        self._held_samples = 0
        self.cancel_inference()

    def end_input(self) -> None:
        """No more audio."""
        self.flush()

    async def aclose(self) -> None:
        """Drop what is under way."""
        judging = self._judging
        self.flush()
        if judging is not None:
            await asyncio.gather(judging, return_exceptions=True)
