"""LocalVad against LiveKit's own inference.VAD: the same windows, the same verdicts, the same events."""

import random
from collections.abc import Sequence

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import inference, vad

from agent.adapters.audio import frame_from
from agent.adapters.vad import LocalVad
from serving.audio import AudioChunk, Pcm32
from serving.engine import VadStream
from serving.speech import VoiceActivity
from serving.vad.gate import Gate, GateOptions
from tests.scripted import WINDOW_SAMPLES, ScriptedVad

pytestmark = pytest.mark.unit

GATE = GateOptions(activation_threshold=0.5, deactivation_threshold=0.35, min_speech_ms=64, min_silence_ms=256)
START, DONE, END = vad.VADEventType.START_OF_SPEECH, vad.VADEventType.INFERENCE_DONE, vad.VADEventType.END_OF_SPEECH


class ListedVad(ScriptedVad):
    """Gives each window the next probability from a list."""

    def __init__(self, probabilities: Sequence[float]) -> None:
        super().__init__()
        self.probabilities = probabilities
        self.opened = 0

    def open(self) -> VadStream:
        self.opened += 1
        return _ListedVadStream(self.probabilities)


class _ListedVadStream:
    def __init__(self, probabilities: Sequence[float]) -> None:
        self._probabilities = probabilities
        self._samples = 0

    def push(self, samples: Pcm32) -> list[VoiceActivity]:
        before, self._samples = self._samples // WINDOW_SAMPLES, self._samples + len(samples)
        windows = range(before, self._samples // WINDOW_SAMPLES)
        return [VoiceActivity(self._probabilities[at], (at + 1) * WINDOW_SAMPLES / 16_000) for at in windows]


class NativeVad:
    """Stands in for the native model in LiveKit's stream: gives the next probability from a list."""

    def __init__(self, probabilities: Sequence[float]) -> None:
        self._probabilities = iter(probabilities)

    def predict(self, window: object) -> float:
        """As the native model."""
        return next(self._probabilities)

    def reset(self) -> None:
        """As the native model."""


def silence(windows: int) -> list[rtc.AudioFrame]:
    """This many windows of audio, in 20 ms frames."""
    samples = np.zeros(windows * WINDOW_SAMPLES, np.int16)
    return [frame_from(AudioChunk(samples[at : at + 320], 16_000)) for at in range(0, len(samples), 320)]


async def events_of(stream: vad.VADStream, frames: list[rtc.AudioFrame]) -> list[vad.VADEvent]:
    """All events that a stream emits for some audio."""
    for frame in frames:
        stream.push_frame(frame)
    stream.end_input()
    events = [event async for event in stream]
    await stream.aclose()
    return events


async def ours(probabilities: Sequence[float]) -> list[vad.VADEvent]:
    """The events of LocalVad."""
    return await events_of(LocalVad(ListedVad(probabilities), GATE).stream(), silence(len(probabilities)))


async def theirs(probabilities: Sequence[float]) -> list[vad.VADEvent]:
    """The events of LiveKit's own VAD."""
    stream = inference.VAD(
        model="silero",
        min_speech_duration=GATE.min_speech_ms / 1000,
        min_silence_duration=GATE.min_silence_ms / 1000,
        activation_threshold=GATE.activation_threshold,
        deactivation_threshold=GATE.deactivation_threshold,
    ).stream()
    stream._native_vad = NativeVad(probabilities)  # type: ignore[attr-defined]
    return await events_of(stream, silence(len(probabilities)))


def turning_points(events: list[vad.VADEvent]) -> list[tuple[vad.VADEventType, dict[str, float]]]:
    """Starts and ends of speech, with everything the events say about them."""
    return [
        (
            event.type,
            {
                "at": round(event.timestamp, 6),
                "sample": event.samples_index,
                "speech": round(event.speech_duration, 6),
                "silence": round(event.silence_duration, 6),
                "speaking": event.speaking,
            },
        )
        for event in events
        if event.type is not DONE
    ]


def marks(text: str) -> list[float]:
    """Windows as letters: s is speech, . is silence, ~ is between the thresholds."""
    return [{"s": 0.9, ".": 0.1, "~": 0.4}[mark] for mark in text]


@pytest.mark.parametrize(
    "windows",
    [
        "." * 10 + "s" * 20 + "." * 20,
        "s" * 5 + "." * 30,
        "." * 3 + "s" + "." * 3 + "ss" + "." * 12 + "s" * 9 + "." * 9,
        "ss" + "." * 7 + "s" * 3 + "." * 7 + "s" + "." * 10,
        "~" * 10 + "s" * 4 + "~" * 10 + "." * 10 + "~" * 5,
        "s" * 40,
    ],
)
async def test_speech_begins_and_ends_as_with_livekits_vad(windows: str) -> None:
    probabilities = marks(windows)
    assert turning_points(await ours(probabilities)) == turning_points(await theirs(probabilities))


@pytest.mark.parametrize("seed", range(10))
async def test_speech_begins_and_ends_as_with_livekits_vad_whatever_is_heard(seed: int) -> None:
    rng = random.Random(seed)
    probabilities = [p for _ in range(40) for p in [rng.choice([0.05, 0.2, 0.4, 0.6, 0.95])] * rng.randint(1, 14)]
    assert turning_points(await ours(probabilities)) == turning_points(await theirs(probabilities))


async def test_every_windows_event_precedes_the_start_or_end_of_speech_in_it() -> None:
    events = await ours(marks("..sss" + "." * 8))
    kinds = [event.type for event in events]
    assert kinds == [DONE] * 4 + [START] + [DONE] * 9 + [END]
    done = [event for event in events if event.type is DONE]
    assert [round(event.raw_accumulated_speech, 3) for event in done[:5]] == [0.0, 0.0, 0.032, 0.064, 0.096]
    assert [round(event.raw_accumulated_silence, 3) for event in done[5:]] == [round(0.032 * n, 3) for n in range(1, 9)]
    assert [event.probability for event in done] == marks("..sss" + "." * 8)


async def test_the_events_that_livekit_decides_by_come_one_window_sooner_than_its_own() -> None:
    """LiveKit's own events carry a window's verdict one window late; ours carry it with the window itself."""
    probabilities = marks(".." + "s" * 30 + "." * 12)
    mine = [event for event in await ours(probabilities) if event.type is DONE]
    livekits = [event for event in await theirs(probabilities) if event.type is DONE]
    for before, after in zip(mine, livekits[1:], strict=False):
        assert before.raw_accumulated_speech == pytest.approx(after.raw_accumulated_speech)
        assert before.raw_accumulated_silence == pytest.approx(after.raw_accumulated_silence)
        assert before.speaking == after.speaking


async def test_speech_duration_includes_short_silences() -> None:
    events = await ours(marks("s" * 10 + "." * 4 + "s" * 10 + "." * 3))
    longest = max(event.speech_duration for event in events)
    assert longest == pytest.approx(27 * 0.032)


async def test_a_flush_resets_the_stream() -> None:
    engine = ListedVad(marks("ssss"))
    stream = LocalVad(engine, GATE).stream()
    for frame in silence(4):
        stream.push_frame(frame)
    stream.flush()
    for frame in silence(2):
        stream.push_frame(frame)
    stream.end_input()
    events = [event async for event in stream]
    await stream.aclose()
    assert [event.type for event in events].count(START) == 2
    assert [event.timestamp for event in events if event.type is START] == pytest.approx([0.064, 0.064])


async def test_audio_at_another_rate_is_resampled() -> None:
    probabilities = marks("..ss" + "." * 40)
    stream = LocalVad(ListedVad(probabilities), GATE).stream()
    samples = np.zeros(30 * 1536, np.int16)
    frames = [frame_from(AudioChunk(samples[at : at + 960], 48_000)) for at in range(0, len(samples), 960)]
    events = await events_of(stream, frames)
    assert [event.type for event in events if event.type is not DONE] == [START, END]


class Listener:
    """Records its calls."""

    def __init__(self) -> None:
        self.windows: list[tuple[float, bool]] = []
        """Where each window ended, and whether the gate was open."""
        self.resets_at: list[int] = []
        """After how many windows the VAD was reset."""

    def heard_window(self, gate: Gate, end_s: float) -> None:
        """As VoiceListener."""
        self.windows.append((round(end_s, 3), gate.is_open))

    def voice_reset(self) -> None:
        """As VoiceListener."""
        self.resets_at.append(len(self.windows))


async def test_listeners_see_every_window_and_every_reset() -> None:
    listeners = Listener(), Listener()
    stream = LocalVad(ListedVad(marks(".sss")), GATE, listeners=listeners).stream()
    for frame in silence(4):
        stream.push_frame(frame)
    stream.flush()
    await events_of(stream, silence(2))
    for listener in listeners:
        assert listener.windows[:4] == [(0.032, False), (0.064, False), (0.096, True), (0.128, True)]
        assert listener.windows[4:] == [(0.032, False), (0.064, False)]
        assert listener.resets_at == [4, 6]  # the end of the input is a flush too


def test_it_reports_what_livekit_needs_to_know() -> None:
    local = LocalVad(ScriptedVad(), GATE)
    assert local.min_silence_duration == pytest.approx(0.256)
    assert local.capabilities.update_interval == pytest.approx(0.032)
    assert (local.model, local.provider) == ("vad", "callbox")


async def test_streams_share_nothing() -> None:
    engine = ListedVad(marks("ss" + "." * 10))
    local = LocalVad(engine, GATE)
    first = await events_of(local.stream(), silence(12))
    second = await events_of(local.stream(), silence(12))
    assert turning_points(first) == turning_points(second)
