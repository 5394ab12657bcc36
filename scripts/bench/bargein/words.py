"""What the demo's recogniser makes of cases, spoken to it in real time, and when its words are there."""

import asyncio
import time
from collections.abc import Sequence

from models.store import open_store
from scripts.bench.bargein.run import Heard
from serving.audio import SPEECH_RATE, AudioChunk, Pcm32, pcm16
from serving.speech import Transcript, TranscriptStage
from serving.stt.faster_whisper import FasterWhisperEngine, FasterWhisperOptions
from serving.vad.silero import SileroOptions, SileroVad

FRAME_SAMPLES = SPEECH_RATE // 50
WINDOW_FLOOR_S = 4.0
"""As in configs/profiles/demo.yaml."""


def recognised(lines: Sequence[Pcm32]) -> list[list[Heard]]:
    """Every line's words as they came, one line after the other."""
    store = open_store()
    vad = SileroVad(SileroOptions(), store.resolve("silero-vad"))
    vad.load()
    engine = FasterWhisperEngine(
        FasterWhisperOptions(window_floor_s=WINDOW_FLOOR_S), store.resolve("demo-stt"), vad=vad
    )
    engine.load()
    engine.warm_up()
    try:
        return asyncio.run(_all(engine, lines))
    finally:
        engine.close()


async def _all(engine: FasterWhisperEngine, lines: Sequence[Pcm32]) -> list[list[Heard]]:
    return [await _one(engine, line) for line in lines]


async def _one(engine: FasterWhisperEngine, line: Pcm32) -> list[Heard]:
    stream, began_s, found = engine.open(), time.perf_counter(), list[Heard]()

    async def speak() -> None:
        for start in range(0, len(line), FRAME_SAMPLES):
            end_s = (start + FRAME_SAMPLES) / SPEECH_RATE
            await asyncio.sleep(began_s + end_s - time.perf_counter())
            stream.push(AudioChunk(pcm16(line[start : start + FRAME_SAMPLES]), SPEECH_RATE))
        stream.end_input()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(speak())
        async for event in stream:
            if isinstance(event, Transcript) and event.text:
                is_final = event.stage is TranscriptStage.FINAL
                found.append(Heard(time.perf_counter() - began_s, event.text, is_final, event.words))
    await stream.aclose()
    return found
