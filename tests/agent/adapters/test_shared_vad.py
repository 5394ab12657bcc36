"""LocalVad and LocalStt on one call's SharedVad: each window is judged once, and neither disturbs the other."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import stt, vad

from agent.adapters.audio import frame_from
from agent.adapters.stt import LocalStt
from agent.adapters.vad import LocalVad
from agent.turns.caller_turn import CallerTurn
from serving.audio import AudioChunk, Pcm16
from serving.engine import VadStream
from serving.vad.gate import GateOptions
from serving.vad.shared import SharedVad
from tests.published import Published
from tests.scripted import WINDOW_SAMPLES, CountedStream, ScriptedStt, ScriptedVad, Sounds
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit

Heard = list[tuple[stt.SpeechEventType, str]]


class CountedVad(ScriptedVad):
    """Counts the windows it judges."""

    windows = 0

    def open(self) -> VadStream:
        return CountedStream(super().open(), self._count)

    def _count(self, windows: int) -> None:
        self.windows += windows


def frames_of(samples: Pcm16, *, rate: int = 16_000) -> list[rtc.AudioFrame]:
    """Audio as 20 ms frames."""
    step = rate // 50
    return [frame_from(AudioChunk(samples[at : at + step], rate)) for at in range(0, len(samples), step)]


class Call:
    """The two adapters of a call."""

    def __init__(self, engine: CountedVad, sounds: Sounds, *, is_shared: bool) -> None:
        shared = SharedVad(engine) if is_shared else None
        events = Published()
        turn = CallerTurn(events)
        self.voice = LocalVad(shared or engine, GateOptions()).stream()
        self.ears = LocalStt(ScriptedStt(sounds), language="en", events=events, turn=turn, vad=shared).stream()
        self._voice_task = asyncio.create_task(self._collect_voice())
        self._ears_task = asyncio.create_task(self._collect_ears())
        self.activity: list[vad.VADEvent] = []
        self.heard: Heard = []

    async def hear(self, frames: Sequence[rtc.AudioFrame]) -> None:
        """Push the same frames to both, as LiveKit does, at real-time pace."""
        for frame in frames:
            self.ears.push_frame(frame)
            self.voice.push_frame(frame)
            await asyncio.sleep(0.02)

    async def end(self) -> None:
        """End the input and wait until everything has been heard."""
        self.ears.end_input()
        self.voice.end_input()
        await self._voice_task
        await self._ears_task
        await self.ears.aclose()
        await self.voice.aclose()

    async def _collect_voice(self) -> None:
        async for event in self.voice:
            self.activity.append(event)

    async def _collect_ears(self) -> None:
        async for event in self.ears:
            if event.type is not stt.SpeechEventType.RECOGNITION_USAGE:
                self.heard.append((event.type, event.alternatives[0].text if event.alternatives else ""))


def said(sounds: Sounds) -> Pcm16:
    """Two utterances with silence around them."""
    silence = np.zeros(16_000, np.int16)
    first, second = (sounds.speech(text) for text in ("good morning doctor", "i need an appointment"))
    return np.concatenate([silence, first, silence, second, silence])


@in_virtual_time
async def test_each_window_is_judged_once_and_recognition_is_unchanged() -> None:
    sounds = Sounds()
    sound = said(sounds)
    calls = []
    for is_shared in (False, True):
        engine = CountedVad()
        call = Call(engine, sounds, is_shared=is_shared)
        await call.hear(frames_of(sound))
        await call.end()
        calls.append((call, engine))
    (apart, _), (together, engine) = calls
    assert engine.windows == len(sound) // WINDOW_SAMPLES
    assert together.heard == apart.heard
    assert [text for kind, text in together.heard if kind is stt.SpeechEventType.FINAL_TRANSCRIPT] == [
        "good morning doctor",
        "i need an appointment",
    ]
    assert [(event.type, event.timestamp, event.probability) for event in together.activity] == [
        (event.type, event.timestamp, event.probability) for event in apart.activity
    ]


@in_virtual_time
async def test_a_flush_of_livekits_vad_does_not_disturb_recognition() -> None:
    sounds = Sounds()
    frames = frames_of(said(sounds))
    calls = []
    for flushes in (False, True):
        call = Call(engine := CountedVad(), sounds, is_shared=True)
        await call.hear(frames[:75])
        if flushes:
            call.voice.flush()
        await call.hear(frames[75:])
        await call.end()
        calls.append(call)
    assert calls[1].heard == calls[0].heard
    assert engine.windows == len(said(sounds)) // WINDOW_SAMPLES
    starts = [event for event in calls[1].activity if event.type is vad.VADEventType.START_OF_SPEECH]
    assert len(starts) == 3, "the utterance under way starts again"
    assert starts[1].timestamp < starts[0].timestamp


@in_virtual_time
async def test_resampled_audio_is_judged_separately() -> None:
    shared = SharedVad(CountedVad())
    voice, ears = LocalVad(shared, GateOptions()).stream(), shared.open()
    heard = []
    sound = np.concatenate([np.zeros(48_000, np.int16), np.full(48_000, 1_000, np.int16), np.zeros(48_000, np.int16)])
    for frame in frames_of(sound, rate=48_000):
        voice.push_frame(frame)
        heard += ears.push(np.ones(320, np.float32))
        await asyncio.sleep(0.02)
    voice.end_input()
    events = [event.type async for event in voice if event.type is not vad.VADEventType.INFERENCE_DONE]
    await voice.aclose()
    assert events == [vad.VADEventType.START_OF_SPEECH, vad.VADEventType.END_OF_SPEECH]
    assert [verdict.end_s for verdict in heard] == pytest.approx([0.032 * (n + 1) for n in range(93)])
    assert {verdict.probability for verdict in heard} == {0.98}
