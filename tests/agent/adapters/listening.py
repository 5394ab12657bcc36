"""A LocalStt stream on an engine that emits what the test wants."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
from livekit.agents import APIError, stt

from agent.adapters.audio import frame_from
from agent.adapters.stt import LocalStt
from agent.turns.caller_turn import CallerTurn
from serving.audio import AudioChunk
from serving.speech import SpeechEnded, SpeechStarted, Transcript, TranscriptStage, Word
from tests.published import Published
from tests.scripted import ListedStt, ListedSttStream

Kind = stt.SpeechEventType
INTERIM, PREFLIGHT, FINAL = TranscriptStage.INTERIM, TranscriptStage.PREFLIGHT, TranscriptStage.FINAL


@dataclass(slots=True)
class Listening:
    """A LocalStt stream, its engine, and everything that came out."""

    engine: ListedStt
    local: LocalStt
    stream: stt.RecognizeStream
    turn: CallerTurn
    call: Published
    """The call's events."""
    events: list[stt.SpeechEvent] = field(default_factory=list)
    """What LiveKit received."""
    error: Exception | None = None

    @property
    def engine_stream(self) -> ListedSttStream:
        """The newest of the engine's streams."""
        return self.engine.streams[-1]

    async def hear(self, seconds: float) -> None:
        """Feed silence."""
        for _ in range(round(seconds * 50)):
            self.stream.push_frame(frame_from(AudioChunk(np.zeros(320, np.int16), 16_000)))
        await asyncio.sleep(0.001)

    async def say(self, *events: SpeechStarted | Transcript | SpeechEnded) -> None:
        """Make the engine emit these."""
        self.engine_stream.say(*events)
        await asyncio.sleep(0.001)

    async def die(self) -> None:
        """Make the engine's stream fail."""
        self.engine_stream.die()
        await asyncio.sleep(0.001)

    def passed_on(self) -> list[tuple[stt.SpeechEventType, str]]:
        """Kind and text of each event that LiveKit received, except usage reports."""
        return [
            (event.type, event.alternatives[0].text if event.alternatives else "")
            for event in self.events
            if event.type is not Kind.RECOGNITION_USAGE
        ]

    async def collect(self) -> None:
        """Collect the output until it ends."""
        try:
            async for event in self.stream:
                self.events.append(event)
        except APIError as error:
            self.error = error


@asynccontextmanager
async def listening() -> AsyncIterator[Listening]:
    """Open a stream for the duration of the context."""
    engine, call = ListedStt(), Published()
    turn = CallerTurn(call)
    local = LocalStt(engine, language="en", events=call, turn=turn)
    made = Listening(engine, local, local.stream(), turn, call)
    collecting = asyncio.create_task(made.collect())
    await asyncio.sleep(0.001)
    try:
        yield made
    finally:
        await made.stream.aclose()
        await collecting


def transcript(stage: TranscriptStage, text: str, *, start_s: float = 1.0) -> Transcript:
    """A transcript with words of 0.3 s each."""
    texts = text.split()
    words = tuple(Word(word, start_s + 0.3 * at, start_s + 0.3 * (at + 1), 0.9) for at, word in enumerate(texts))
    return Transcript(stage, text, start_s, start_s + 0.3 * len(words), words, confidence=0.9 if words else 0.0)


def utterance(*stages: tuple[TranscriptStage, str]) -> list[SpeechStarted | Transcript | SpeechEnded]:
    """An utterance from its start to its end."""
    return [SpeechStarted(1.0), *(transcript(*stage) for stage in stages), SpeechEnded(2.0)]
