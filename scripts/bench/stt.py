"""How soon the final transcript is there, against a stock faster-whisper call on the same lines in the same run.

    python -m scripts.bench.stt [--streams 1 4] [--threads 1] [--lines 12] [--model FOLDER --window-floor-s 10]

Lines of the demo's callers are decoded whole, in turns by `WhisperModel.transcribe` (30 s window, beam 5, word times: its
defaults) and by the engine; then they are spoken into the engine in real time, by one caller and by several at once.
"""

import argparse
import asyncio
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import jiwer
import numpy as np
import soundfile
import yaml
from rich.console import Console
from rich.table import Table

from models.store import open_store
from serving.audio import SPEECH_RATE, AudioChunk, Pcm16, Pcm32
from serving.engine import SttStream
from serving.speech import Transcript, TranscriptStage
from serving.stt.faster_whisper import FasterWhisperEngine, FasterWhisperOptions
from serving.vad.silero import SileroOptions, SileroVad

CALLERS = Path(__file__).parents[2] / "models" / "demo" / "callers"
VOICES = ("rms", "awb", "kal16")
FRAME_SAMPLES = SPEECH_RATE // 50
LEAD_S, TAIL_S = 0.4, 0.6
Recognise = Callable[[Pcm32], str]


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
    """One way of recognising, all its lines."""

    decode_s: list[float] = field(default_factory=list)
    """From asking for the final's words to having them."""
    cpu_s: list[float] = field(default_factory=list)
    """Processor time of the same."""
    preflight_s: list[float] = field(default_factory=list)
    """From the caller's last sound to the preflight."""
    final_s: list[float] = field(default_factory=list)
    """From the caller's last sound to the final."""
    said: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)


def read_lines(count: int) -> list[Line]:
    """The longest lines, the voices in turn."""
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
    """All lines, so many callers at a time, each beginning a little after the one before."""

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


def measure(arguments: argparse.Namespace) -> dict[str, Figures]:
    """All figures by what was measured, the stock call first."""
    options = FasterWhisperOptions(
        device=arguments.device,
        compute_type=arguments.compute_type,
        threads=arguments.threads,
        window_floor_s=arguments.window_floor_s,
    )
    model_dir = arguments.model or open_store().resolve("demo-stt")
    vad = SileroVad(SileroOptions(), open_store().resolve("silero-vad"))
    vad.load()
    engine = FasterWhisperEngine(options, model_dir, vad)
    engine.load()
    engine.warm_up()
    lines = read_lines(arguments.lines)
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
    for streams in arguments.streams:
        found = figures[f"streaming, {streams} at once"] = Figures()
        asyncio.run(calls(engine, lines, found, streams=streams))
    engine.close()
    vad.close()
    return figures


def table(figures: dict[str, Figures]) -> Table:
    """One row a way of recognising; preflight and final count from the caller's last sound."""
    columns = (
        "",
        "decode p50",
        "p95",
        "ratio p50",
        "CPU ratio",
        "preflight p50",
        "p95",
        "final p50",
        "p95",
        "word errors",
    )
    result = Table(*columns)
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
    """As the lines are written: lower case, no punctuation."""
    return "".join(letter for letter in text.lower() if letter.isalnum() or letter in "' ")


def spread(values_s: list[float]) -> tuple[str, str]:
    """Median and 95th percentile in milliseconds."""
    if not values_s:
        return "-", "-"
    p95 = sorted(values_s)[min(len(values_s) - 1, int(0.95 * len(values_s)))]
    return f"{1000 * statistics.median(values_s):.0f} ms", f"{1000 * p95:.0f} ms"


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m scripts.bench.stt", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 4], help="callers at once (default: 1 4)")
    parser.add_argument("--lines", type=int, default=12, help="lines spoken (default: 12)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of the engine (default: 1)")
    parser.add_argument("--model", type=Path, help="a CTranslate2 Whisper's folder (default: the demo's)")
    parser.add_argument("--window-floor-s", type=float, default=4.0, help="shortest encoder window (default: 4)")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--compute-type", default="default", help="CTranslate2's (default: as the model was saved)")
    arguments = parser.parse_args()
    figures = measure(arguments)
    console = Console(width=140)
    console.print(f"{platform.machine()} {platform.system()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    console.print(table(figures), "preflight and final: from the caller's last sound", sep="\n")


if __name__ == "__main__":
    main()
