"""Callers' lines, and an STT engine whose decodes can be waited for, so that streaming is tested in audio time."""

import asyncio
import json
from collections.abc import Hashable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from serving.audio import SPEECH_RATE, AudioChunk, Pcm16, pcm16
from serving.engine import SttStream
from serving.speech import SttEvent, Transcript, TranscriptStage
from serving.stt.faster_whisper import FasterWhisperEngine
from serving.stt.hearing import Clip, Heard, Urgency
from serving.vad.shared import SharedVad

LINES = Path(__file__).parents[1] / "audio" / "stt"
FRAME_SAMPLES = SPEECH_RATE // 50


@dataclass(frozen=True)
class Line:
    """A line that a caller says."""

    words: str
    speech_end_s: float
    """Where the last sound ends, from the start of `samples`."""
    samples: Pcm16


def lines() -> dict[str, Line]:
    """The recorded lines by name."""
    rows = json.loads((LINES / "lines.json").read_text())
    return {
        row["name"]: Line(
            row["words"], row["speech_end_s"], soundfile.read(LINES / f"{row['name']}.flac", dtype="int16")[0]
        )
        for row in rows
    }


def silence(seconds: float) -> Pcm16:
    """A quiet line: faint noise."""
    noise = np.random.default_rng(5).normal(0, 3e-4, round(seconds * SPEECH_RATE))
    return pcm16(noise.astype(np.float32))


@dataclass
class Asked:
    """A clip that a stream wanted decoded."""

    clip: Clip
    urgency: Urgency
    answer: "Future[Heard]"


class WatchedEngine(FasterWhisperEngine):
    """Remembers what its streams ask for."""

    def submit(self, clip: Clip, urgency: Urgency, slot: Hashable | None) -> "Future[Heard]":
        """Submit, and remember the clip."""
        answer = super().submit(clip, urgency, slot)
        self.asked.append(Asked(clip, urgency, answer))
        return answer

    @property
    def asked(self) -> list[Asked]:
        """Everything asked for, in order."""
        if not hasattr(self, "_asked"):
            self._asked: list[Asked] = []
        return self._asked

    def catch_up(self) -> None:
        """Wait until everything asked for is decoded."""
        wait([asked.answer for asked in self.asked], timeout=60)


@dataclass
class Hearing:
    """A stream's events, each with the audio time at which it came."""

    events: list[tuple[float, SttEvent]] = field(default_factory=list)

    def of(self, stage: TranscriptStage) -> list[Transcript]:
        """All transcripts of a stage."""
        return [event for _, event in self.events if isinstance(event, Transcript) and event.stage is stage]

    def time_of(self, wanted: SttEvent) -> float:
        """When an event came."""
        return next(at_s for at_s, event in self.events if event is wanted)

    @property
    def text(self) -> str:
        """The text of all finals."""
        return " ".join(final.text for final in self.of(TranscriptStage.FINAL) if final.text)


async def collect(stream: SttStream, hearing: Hearing, clock: list[float]) -> None:
    """Read a stream to its end."""
    async for event in stream:
        hearing.events.append((clock[0], event))


async def hear(
    engine: WatchedEngine, *pieces: Pcm16, flush_at_s: Sequence[float] = (), shared: SharedVad | None = None
) -> Hearing:
    """Feed audio frame by frame, waiting for every decode before the next frame, as if decoding took no time.

    With `shared`, the stream shares its voice activity with another one, which hears each frame sometimes before it, sometimes after.
    """
    samples = np.concatenate(pieces)
    stream, hearing, clock = engine.open(None if shared is None else shared.open()), Hearing(), [0.0]
    beside = None if shared is None else shared.open()
    reading = asyncio.create_task(collect(stream, hearing, clock))
    flushes = [round(at_s * SPEECH_RATE / FRAME_SAMPLES) for at_s in flush_at_s]
    for index in range(0, len(samples), FRAME_SAMPLES):
        chunk = AudioChunk(samples[index : index + FRAME_SAMPLES], SPEECH_RATE)
        is_first = index // FRAME_SAMPLES % 7 < 4
        if beside is not None and not is_first:
            beside.push(chunk.to_float())
        stream.push(chunk)
        if beside is not None and is_first:
            beside.push(chunk.to_float())
        clock[0] = (index + FRAME_SAMPLES) / SPEECH_RATE
        if index // FRAME_SAMPLES in flushes:
            stream.flush()
        engine.catch_up()
        await settle()
    stream.end_input()
    await asyncio.wait_for(reading, timeout=60)
    await stream.aclose()
    return hearing


async def settle() -> None:
    """Let the event loop deliver what has arrived."""
    for _ in range(6):
        await asyncio.sleep(0)
