"""LiveKit's streaming end-of-turn detector on top of a TurnEngine."""

import asyncio
import time
from collections import deque

import numpy as np
from livekit import rtc
from livekit.agents import APIConnectOptions, LanguageCode
from livekit.agents.voice.turn import TurnDetectionEvent

from agent.adapters.audio import caller_chunk
from agent.adapters.errors import NO_RETRIES
from agent.call.events import TurnDecided
from agent.call.stream import EventStream
from agent.turns.caller_turn import MUTED_S, CallerTurn
from agent.turns.endpointing import EndpointingOptions
from agent.turns.turn_end import WORDS_TIMEOUT_S, Decision, Pause
from serving.audio import SPEECH_RATE, Pcm32
from serving.engine import TurnEngine

MIN_PROBABILITY = 1e-9
"""The lowest probability that a finished prediction reports, and the threshold stated to LiveKit. Predictions finish once the
turn is over, so LiveKit ends it at once, whatever the probability; only a cancelled one reports less."""
_COMMITTED = "turn committed"
"""LiveKit's reason for a flush when the turn is being answered."""


class LocalTurnDetector:
    """Detects the end of a turn with a shared engine. Satisfies LiveKit's `_StreamingTurnDetector`.

    LiveKit asks for a prediction 200 ms into a silence and waits for it, within the min and max delays that it was given.
    The prediction finishes when agent/turns/endpointing.py says that the turn is over. So it is LiveKit that ends the turn,
    and LiveKit that cancels the prediction if the caller continues.
    """

    def __init__(
        self,
        engine: TurnEngine,
        options: EndpointingOptions,
        *,
        turn: CallerTurn,
        events: EventStream,
    ) -> None:
        self.engine = engine
        self.options = options
        self.turn = turn
        self.events = events

    @property
    def model(self) -> str:
        """The engine's name."""
        return self.engine.name

    @property
    def provider(self) -> str:
        """Who runs the engine."""
        return "callbox"

    def stream(self, *, conn_options: APIConnectOptions = NO_RETRIES) -> "LocalTurnStream":
        """Open a stream for one agent of one call."""
        return LocalTurnStream(self)


class LocalTurnStream:
    """Keeps the last seconds of the caller's audio and decides when their turn is over."""

    def __init__(self, parent: LocalTurnDetector) -> None:
        self._parent = parent
        self._audio: deque[Pcm32] = deque()
        self._held_samples = 0
        self._window_samples = int(parent.engine.window_s * SPEECH_RATE)
        self._resampler: rtc.AudioResampler | None = None
        self._pending: asyncio.Future[TurnDetectionEvent] | None = None
        self._deciding: asyncio.Task[None] | None = None
        self._pauses: list[Pause] = []
        """The pauses of the current turn."""
        self._decision: Decision | None = None
        """The outcome of the last prediction."""

    @property
    def model(self) -> str:
        """The engine's name."""
        return self._parent.model

    @property
    def provider(self) -> str:
        """Who runs the engine."""
        return self._parent.provider

    @property
    def is_fallback(self) -> bool:
        """Always false: there is no other model to fall back from."""
        return False

    @property
    def prediction_timeout(self) -> float:
        """Seconds that LiveKit waits before it does without a prediction; longer than any takes."""
        return max(self._parent.options.max_delay_s, WORDS_TIMEOUT_S) + 2 * MUTED_S

    async def unlikely_threshold(self, language: LanguageCode | None) -> float | None:
        """Probability below which LiveKit would keep waiting."""
        return MIN_PROBABILITY

    async def backchannel_threshold(self, language: LanguageCode | None) -> float | None:
        """None: the engine does not judge where the agent might say "mm-hmm"."""
        return None

    async def supports_language(self, language: LanguageCode | None) -> bool:
        """Always true: prosody is judged in every language."""
        return True

    def push_audio(self, frame: rtc.AudioFrame) -> None:
        """Take the caller's audio, at any sample rate."""
        if frame.sample_rate != SPEECH_RATE and self._resampler is None:
            self._resampler = rtc.AudioResampler(frame.sample_rate, SPEECH_RATE)
        for at_rate in [frame] if self._resampler is None else self._resampler.push(frame):
            samples = caller_chunk(at_rate).to_float()
            self._audio.append(samples)
            self._held_samples += len(samples)
        while self._audio and self._held_samples - len(self._audio[0]) >= self._window_samples:
            self._held_samples -= len(self._audio.popleft())

    def predict(self) -> asyncio.Future[TurnDetectionEvent]:
        """Predict the end of the turn; done once it is over. Cancels a prediction under way."""
        self.cancel_inference()
        parent = self._parent
        pending: asyncio.Future[TurnDetectionEvent] = asyncio.get_running_loop().create_future()
        pause = Pause(parent.engine, parent.options, parent.turn, self._recent_sound, parent.events)
        self._pending = pending
        self._pauses.append(pause)
        self._deciding = asyncio.create_task(self._decide(pause, pending))
        return pending

    def _recent_sound(self) -> Pcm32:
        return np.concatenate(self._audio) if self._audio else np.zeros(SPEECH_RATE, dtype=np.float32)

    async def _decide(self, pause: Pause, pending: "asyncio.Future[TurnDetectionEvent]") -> None:
        self._decision = decision = await pause.decide()
        probability = 1.0 if decision.probability is None else max(decision.probability, MIN_PROBABILITY)
        self._settle(pending, probability, pause.inference_s)

    def _settle(
        self, pending: "asyncio.Future[TurnDetectionEvent]", probability: float, inference_s: float | None
    ) -> None:
        if not pending.done():
            pending.set_result(
                TurnDetectionEvent(
                    type="eot_prediction",
                    last_speaking_time=time.time(),
                    end_of_turn_probability=probability,
                    inference_duration=inference_s,
                )
            )

    def cancel_inference(self, *, timed_out: bool = False) -> None:
        """Drop the prediction under way: the caller continued, or it took too long."""
        if self._deciding is not None and not self._deciding.done():
            self._deciding.cancel()
        if self._pending is not None:
            self._settle(self._pending, 0.0, None)
        self._deciding = self._pending = self._decision = None

    def flush(self, reason: str | None = None) -> None:
        """The turn is over: forget its audio and its words, which say nothing about the next one."""
        if reason == _COMMITTED:
            self._publish_decision()
        self._audio.clear()
        self._held_samples = 0
        self._pauses.clear()
        self._parent.turn.turn_over()
        self.cancel_inference()

    def _publish_decision(self) -> None:
        decision = self._decision
        judgements = sum(pause.judgements for pause in self._pauses)
        by, probability = (None, None) if decision is None else (decision.by, decision.probability)
        self._parent.events.publish(TurnDecided(by, probability, judgements))

    def end_input(self) -> None:
        """No more audio."""
        self.flush()

    async def aclose(self) -> None:
        """Cancel the prediction under way."""
        deciding = self._deciding
        self.flush()
        if deciding is not None:
            await asyncio.gather(deciding, return_exceptions=True)
