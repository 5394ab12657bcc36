"""Decodes lines whole and spoken in real time, by the engine and by a stock faster-whisper call."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models.store import open_store
from scripts.bench.stt.demo import MODEL
from scripts.bench.stt.lines import Line, read_lines, speak
from serving.audio import SPEECH_RATE, AudioChunk, Pcm32
from serving.speech import Transcript, TranscriptStage
from serving.stt.faster_whisper import FasterWhisperEngine
from serving.stt.whisper_options import FasterWhisperOptions
from serving.vad.silero import SileroOptions, SileroVad

Recognise = Callable[[Pcm32], str]


@dataclass(slots=True)
class Figures:
    """One way of recognising, over all lines."""

    decode_s: list[float] = field(default_factory=list)
    """From the request for the final transcript's words to their arrival."""
    cpu_s: list[float] = field(default_factory=list)
    """Processor time of the same."""
    preflight_s: list[float] = field(default_factory=list)
    """From the caller's last sound to the preflight."""
    final_s: list[float] = field(default_factory=list)
    """From the caller's last sound to the final."""
    said: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)


async def call(engine: FasterWhisperEngine, line: Line, figures: Figures) -> None:
    """One line through one stream."""
    stream, began_at = engine.open(), time.perf_counter()
    speaking = asyncio.create_task(speak(stream, line.samples, began_at))
    times_s: dict[TranscriptStage, float] = {}
    heard = ""
    async for event in stream:
        if isinstance(event, Transcript):
            times_s[event.stage] = time.perf_counter() - began_at - line.speech_end_s
            if event.stage is TranscriptStage.FINAL:
                heard = f"{heard} {event.text}".strip()
                figures.decode_s.append(event.decode_s)
    await speaking
    await stream.aclose()
    for stage, found_s in ((TranscriptStage.PREFLIGHT, figures.preflight_s), (TranscriptStage.FINAL, figures.final_s)):
        found_s += [times_s[stage]] if stage in times_s else []  # a decode slower than the pause has no preflight
    figures.said.append(line.words)
    figures.heard.append(heard)


async def calls(engine: FasterWhisperEngine, lines: list[Line], figures: Figures, *, streams: int) -> None:
    """All lines, by this many callers at once, each starting a little after the one before."""

    async def caller(number: int) -> None:
        await asyncio.sleep(0.11 * number)
        for line in lines[number::streams] if streams > 1 else lines:
            await call(engine, line, figures)

    await asyncio.gather(*(caller(number) for number in range(streams)))


def stock_call(model_dir: Path, options: FasterWhisperOptions) -> Recognise:
    """faster-whisper as its README shows it, with word times."""
    from faster_whisper import WhisperModel

    chosen = {"device": options.device, "compute_type": options.compute_type}
    model = WhisperModel(str(model_dir), local_files_only=True, **chosen)

    def recognise(samples: Pcm32) -> str:
        segments, _ = model.transcribe(samples, language=options.language, word_timestamps=True)
        return " ".join(segment.text.strip() for segment in segments)

    return recognise


def timed(recognise: Recognise, line: Line, figures: Figures) -> None:
    """The whole line at once. Process time too: it does not depend on who else uses the machine."""
    samples = AudioChunk(line.samples, SPEECH_RATE).to_float()
    began_at, cpu_began_at = time.perf_counter(), time.process_time()
    heard = recognise(samples)
    figures.decode_s.append(time.perf_counter() - began_at)
    figures.cpu_s.append(time.process_time() - cpu_began_at)
    figures.said.append(line.words)
    figures.heard.append(heard)


def measure(
    options: FasterWhisperOptions, streams: Sequence[int], line_count: int, model_dir: Path | None = None
) -> dict[str, Figures]:
    """Figures by what was measured, the stock call first. Without `model_dir`, the demo's model."""
    store = open_store()
    model_dir = model_dir or store.resolve(MODEL)
    vad = SileroVad(SileroOptions(), store.resolve("silero-vad"))
    vad.load()
    engine = FasterWhisperEngine(options, model_dir, vad)
    engine.load()
    engine.warm_up()
    lines = read_lines(line_count)
    ways: dict[str, Recognise] = {
        "stock transcribe": stock_call(model_dir, options),
        "one decode of the engine": lambda samples: " ".join(word.text for word in engine.recognise(samples)),
    }
    figures = {name: Figures() for name in ways}
    for recognise in ways.values():
        timed(recognise, lines[0], Figures())
    for line in lines:  # in turns, so that a machine that grows busier favours nobody
        for name, recognise in ways.items():
            timed(recognise, line, figures[name])
    for count in streams:
        found = figures[f"streaming, {count} at once"] = Figures()
        asyncio.run(calls(engine, lines, found, streams=count))
    engine.close()
    vad.close()
    return figures
