"""How soon the final transcript is ready, beside a stock faster-whisper call on the same lines in the same run.

    python -m scripts.bench.stt
    python -m scripts.bench.stt 1 8 16 --threads 2                     # 1, 8 and 16 callers at once
    python -m scripts.bench.stt --model FOLDER --window-floor-s 10     # another Whisper

Lines of the demo's callers are decoded whole, in turn by `WhisperModel.transcribe` (30 s window, beam 5, word times: its
defaults) and by the engine; then they are spoken into the engine in real time, by one caller and by several at once.
"""

import asyncio
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import jiwer
import numpy as np
import soundfile
import typer
import yaml
from rich.table import Table

from models.store import open_store
from scripts.bench.machine import this_machine
from scripts.command_line import console, new_app
from scripts.figures import milliseconds
from scripts.paths import CALLERS
from serving.audio import SPEECH_RATE, AudioChunk, Pcm16, Pcm32
from serving.engine import SttStream
from serving.speech import Transcript, TranscriptStage
from serving.stt.faster_whisper import FasterWhisperEngine
from serving.stt.whisper_options import ComputeType, FasterWhisperOptions
from serving.vad.silero import SileroOptions, SileroVad

VOICES = ("rms", "awb", "kal16")
FRAME_SAMPLES = SPEECH_RATE // 50
LEAD_S, TAIL_S = 0.4, 0.6
Recognise = Callable[[Pcm32], str]
app = new_app()


@dataclass(frozen=True, slots=True)
class Line:
    """What a caller says."""

    words: str
    samples: Pcm16
    """With silence before and after."""
    speech_end_s: float
    """Where the last sound ends."""


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


def read_lines(count: int) -> list[Line]:
    """The longest lines of each voice, voices taking turns."""
    by_voice = []
    for voice in VOICES:
        files: dict[str, str] = yaml.safe_load((CALLERS / voice / "lines.yaml").read_text())
        longest = sorted(files, key=len, reverse=True)
        by_voice.append([read_line(words, CALLERS / voice / files[words]) for words in longest])
    in_turn = [line for lines in zip(*by_voice, strict=False) for line in lines]
    return in_turn[:count]


def read_line(words: str, path: Path) -> Line:
    """A recording between two silences."""
    samples, rate = soundfile.read(path, dtype="int16")
    assert rate == SPEECH_RATE, path
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > np.abs(samples.astype(np.int32)).max() / 50)
    lead, tail = (np.zeros(round(seconds * SPEECH_RATE), np.int16) for seconds in (LEAD_S, TAIL_S))
    return Line(words, np.concatenate((lead, samples, tail)), LEAD_S + float(loud[-1]) / SPEECH_RATE)


async def speak(stream: SttStream, line: Line, began_at: float) -> None:
    """Push a line in real time."""
    for start in range(0, len(line.samples), FRAME_SAMPLES):
        end_s = min(start + FRAME_SAMPLES, len(line.samples)) / SPEECH_RATE
        await asyncio.sleep(began_at + end_s - time.perf_counter())
        stream.push(AudioChunk(line.samples[start : start + FRAME_SAMPLES], SPEECH_RATE))
    stream.end_input()


async def call(engine: FasterWhisperEngine, line: Line, figures: Figures) -> None:
    """One line through one stream."""
    stream, began_at = engine.open(), time.perf_counter()
    speaking = asyncio.create_task(speak(stream, line, began_at))
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
    model_dir = model_dir or open_store().resolve("demo-stt")
    vad = SileroVad(SileroOptions(), open_store().resolve("silero-vad"))
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


def table(figures: dict[str, Figures]) -> Table:
    """One row for each way of recognising; preflight and final count from the caller's last sound."""
    result = Table("", "decode p50", "p95", "ratio p50", "CPU ratio", "preflight p50", "p95", "final p50", "p95", "WER")
    stock = next(iter(figures.values()))
    for name, found in figures.items():
        result.add_row(
            name,
            *spread(found.decode_s),
            ratio(found.decode_s, stock.decode_s),
            ratio(found.cpu_s, stock.cpu_s),
            *spread(found.preflight_s),
            *spread(found.final_s),
            f"{100 * jiwer.wer(found.said, [plain(text) for text in found.heard]):.1f} %",
        )
    return result


def ratio(values_s: list[float], baseline_s: list[float]) -> str:
    """Of the medians."""
    return f"{100 * statistics.median(values_s) / statistics.median(baseline_s):.1f} %" if values_s else "-"


def plain(text: str) -> str:
    """Lower case without punctuation, as the lines are written."""
    return "".join(letter for letter in text.lower() if letter.isalnum() or letter in "' ")


def spread(values_s: list[float]) -> tuple[str, str]:
    """Median and 95th percentile in milliseconds."""
    return milliseconds(values_s, 50), milliseconds(values_s, 95)


@app.command()
def main(
    streams: Annotated[list[int] | None, typer.Argument(help="callers at once, one measurement each: 1 4")] = None,
    lines: Annotated[int, typer.Option(help="lines spoken")] = 12,
    threads: Annotated[int, typer.Option(help="CPU threads of the engine")] = 1,
    model: Annotated[Path | None, typer.Option(help="folder of a CTranslate2 Whisper; default: the demo's")] = None,
    window_floor_s: Annotated[float, typer.Option(help="shortest encoder window")] = 4.0,
    device: Annotated[Literal["cpu", "cuda"], typer.Option()] = "cpu",
    compute_type: Annotated[ComputeType, typer.Option(help="CTranslate2's; default: as saved")] = "default",
) -> None:
    """Measure how soon the final transcript is ready, beside a stock faster-whisper call."""
    options = FasterWhisperOptions(
        device=device, compute_type=compute_type, threads=threads, window_floor_s=window_floor_s
    )
    figures = measure(options, streams or [1, 4], lines, model)
    console.print(this_machine().short, highlight=False)
    console.print(table(figures), "preflight and final: from the caller's last sound", sep="\n")


if __name__ == "__main__":
    app()
