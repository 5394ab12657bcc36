"""The words that the demo's recogniser hears in cases spoken in real time, and when they are ready."""

import asyncio
import time
from collections.abc import Sequence

from scripts.bench.bargein.run import Heard
from scripts.bench.stt.demo import load_recogniser
from scripts.bench.stt.lines import speak
from serving.audio import Pcm32, pcm16
from serving.speech import Transcript, TranscriptStage
from serving.stt.faster_whisper import FasterWhisperEngine


def recognised(lines: Sequence[Pcm32]) -> list[list[Heard]]:
    """The words of each line as they came; lines are spoken one after another."""
    engine = load_recogniser()
    try:
        return asyncio.run(_all(engine, lines))
    finally:
        engine.close()


async def _all(engine: FasterWhisperEngine, lines: Sequence[Pcm32]) -> list[list[Heard]]:
    return [await _one(engine, line) for line in lines]


async def _one(engine: FasterWhisperEngine, line: Pcm32) -> list[Heard]:
    stream, began_s, found = engine.open(), time.perf_counter(), list[Heard]()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(speak(stream, pcm16(line), began_s))
        async for event in stream:
            if isinstance(event, Transcript) and event.text:
                is_final = event.stage is TranscriptStage.FINAL
                found.append(Heard(time.perf_counter() - began_s, event.text, is_final, event.words))
    await stream.aclose()
    return found
