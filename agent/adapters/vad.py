"""LiveKit's VAD on top of a VadEngine."""

import time
from collections.abc import Sequence
from typing import Protocol

from livekit import rtc
from livekit.agents import vad

from agent.adapters.audio import caller_chunk
from serving.audio import SPEECH_RATE
from serving.engine import VadEngine
from serving.speech import VoiceActivity
from serving.vad.gate import Gate, GateClosed, GateOpened, GateOptions
from serving.vad.shared import SharedVad

_Event = vad.VADEventType


class VoiceListener(Protocol):
    """Follows the caller's voice window by window, which is too often for call events."""

    def heard_window(self, gate: Gate, end_s: float) -> None:
        """The VAD has judged the window that ends at `end_s` (audio clock), and `gate` has taken it in."""
        ...

    def voice_reset(self) -> None:
        """The VAD has been reset: whatever was sounding is over."""
        ...


class LocalVad(vad.VAD):
    """Voice activity detection on a shared engine. `listeners` are called for every window."""

    def __init__(
        self, engine: VadEngine | SharedVad, gate: GateOptions, *, listeners: Sequence[VoiceListener] = ()
    ) -> None:
        super().__init__(capabilities=vad.VADCapabilities(update_interval=engine.window_samples / SPEECH_RATE))
        self.engine = engine
        self.gate = gate
        self.listeners = tuple(listeners)

    @property
    def model(self) -> str:
        return self.engine.name

    @property
    def provider(self) -> str:
        return "callbox"

    @property
    def min_silence_duration(self) -> float:
        """Read by LiveKit, which needs at least 0.25 s to ask an end-of-turn model in time."""
        return self.gate.min_silence_ms / 1000

    def stream(self) -> vad.VADStream:
        return _LocalVadStream(self)


class _LocalVadStream(vad.VADStream):
    """Its events carry no audio, because nothing in a session reads it from here."""

    def __init__(self, parent: LocalVad) -> None:
        self._parent = parent
        self._window_s = parent.engine.window_samples / SPEECH_RATE
        self._resampler: rtc.AudioResampler | None = None
        self._reset()
        super().__init__(parent)

    def _reset(self) -> None:
        engine = self._parent.engine
        # no other stream gets the audio that is resampled here
        if self._resampler is not None and isinstance(engine, SharedVad):
            self._stream = engine.open_alone()
        else:
            self._stream = engine.open()
        self._gate = Gate(self._parent.gate, window_s=self._window_s)

    async def _main_task(self) -> None:
        async for frame in self._input_ch:
            if isinstance(frame, self._FlushSentinel):
                self._reset()
                for listener in self._parent.listeners:
                    listener.voice_reset()
                continue
            if frame.sample_rate != SPEECH_RATE and self._resampler is None:
                self._resampler = rtc.AudioResampler(frame.sample_rate, SPEECH_RATE)
                self._reset()
            for at_rate in [frame] if self._resampler is None else self._resampler.push(frame):
                began = time.perf_counter()
                verdicts = self._stream.push(caller_chunk(at_rate).to_float())
                took_s = time.perf_counter() - began
                for verdict in verdicts:
                    self._judge(verdict, took_s / len(verdicts))

    def _judge(self, verdict: VoiceActivity, took_s: float) -> None:
        decision = self._gate.push(verdict)
        for listener in self._parent.listeners:
            listener.heard_window(self._gate, verdict.end_s)
        self._emit(_Event.INFERENCE_DONE, verdict, took_s)
        match decision:
            case GateOpened():
                self._emit(_Event.START_OF_SPEECH, verdict)
            case GateClosed():
                self._emit(_Event.END_OF_SPEECH, verdict)

    def _emit(self, kind: vad.VADEventType, verdict: VoiceActivity, took_s: float = 0.0) -> None:
        gate = self._gate
        self._event_ch.send_nowait(
            vad.VADEvent(
                type=kind,
                samples_index=int(verdict.end_s * SPEECH_RATE),
                timestamp=verdict.end_s,
                speech_duration=self._speech_s(kind, verdict),
                silence_duration=gate.silence_run_s,
                probability=verdict.probability,
                inference_duration=took_s,
                speaking=gate.is_open,
                raw_accumulated_silence=gate.silence_run_s,
                raw_accumulated_speech=gate.speech_run_s,
            )
        )

    def _speech_s(self, kind: vad.VADEventType, verdict: VoiceActivity) -> float:
        """Length of the speech under way, or of the speech that has just ended."""
        gate = self._gate
        if gate.is_open:
            return verdict.end_s - gate.opened_at_s
        return gate.speech_end_s - gate.opened_at_s if kind is _Event.END_OF_SPEECH else 0.0
