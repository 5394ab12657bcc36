"""Speech recognition: the demo Whisper with real weights, and large-v3-turbo's shape with random ones."""

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import jiwer
import numpy as np

from models.store import open_store
from scripts.bench.gpu.part import Part, Subject
from scripts.bench.gpu.whisper_shape import MIN_WIDTH, WORDS, write_whisper
from scripts.bench.stt.demo import WINDOW_FLOOR_S
from scripts.bench.stt.measure import measure as measure_lines
from scripts.bench.stt.table import plain
from serving.audio import SPEECH_RATE, Pcm32
from serving.gpu.known import WHISPERS
from serving.gpu.whisper import WhisperShape
from serving.stt.faster_whisper import WARM_UP_TIMEOUT_S, FasterWhisperEngine
from serving.stt.hearing import Clip, Urgency
from serving.stt.whisper_options import ComputeType, FasterWhisperOptions, memory_need
from serving.vad.silero import SileroOptions, SileroVad

TURBO = WHISPERS["whisper-large-v3-turbo"]
TINY = WhisperShape(
    encoder_layers=2,
    decoder_layers=2,
    width=MIN_WIDTH,
    heads=4,
    mels=TURBO.mels,
    vocabulary=TURBO.vocabulary,
    saved_as="float16",
)
MIN_WINDOW_S = 2.0
WINDOWS_S = (MIN_WINDOW_S, 5.0, 10.0, 30.0)
BATCH = 8
MAX_BATCH = round(BATCH * (max(WINDOWS_S) / MIN_WINDOW_S) ** 2)
"""The max_batch with which even the longest window is decoded eight at a time."""


def measure(part: Part) -> None:
    """Measure both models."""
    types: tuple[ComputeType, ...] = ("float16", "int8_float16") if part.device == "cuda" else ("float32",)
    for compute_type in types:
        part.attempt(f"demo Whisper, {compute_type}", partial(_demo, part, compute_type))
    with tempfile.TemporaryDirectory(prefix="callbox-whisper-") as folder:
        shape, name = (TINY, "tiny Whisper shape") if part.quick else (TURBO, "Whisper large-v3-turbo shape")
        part.console.print(f"  making the {name} with random weights")
        model_dir = write_whisper(shape, Path(folder))
        for compute_type in types:
            part.attempt(f"{name}, {compute_type}", partial(_shape, part, model_dir, shape, name, compute_type))


def _demo(part: Part, compute_type: ComputeType) -> None:
    """As `scripts.bench.stt` measures it, including the stock call."""
    options = FasterWhisperOptions(
        device=part.device, compute_type=compute_type, threads=1, window_floor_s=WINDOW_FLOOR_S
    )
    streams, lines = ([1], 1) if part.quick else ([1, 8], 9)
    subject = Subject("demo Whisper", "real", f"{part.device} {compute_type}")
    for way, found in measure_lines(options, streams, lines).items():
        errors = jiwer.wer(found.said, [plain(text) for text in found.heard])
        part.tell(f"{way}: decode of an utterance", subject, found.decode_s, scale=1e3)
        if found.preflight_s:
            part.tell(f"{way}: last sound to preflight", subject, found.preflight_s, scale=1e3)
        if found.final_s:
            part.tell(f"{way}: last sound to final", subject, found.final_s, scale=1e3)
        part.tell(f"{way}: word errors", subject, [errors], unit="%", scale=100)


def _shape(part: Part, model_dir: Path, shape: WhisperShape, name: str, compute_type: ComputeType) -> None:
    options = FasterWhisperOptions(
        device=part.device,
        compute_type=compute_type,
        window_floor_s=MIN_WINDOW_S,
        max_batch=MAX_BATCH,
    )
    subject = Subject(name, "random", f"{part.device} {compute_type}")
    vad = SileroVad(SileroOptions(), open_store().resolve("silero-vad"))
    vad.load()
    engine = FasterWhisperEngine(options, model_dir, vad)
    estimate_mib, _ = memory_need(shape, FasterWhisperOptions(device=part.device, compute_type=compute_type))
    try:
        part.memory(subject, partial(_load, engine), estimate_mib=estimate_mib)
        for window_s in WINDOWS_S[:2] if part.quick else WINDOWS_S:
            _windows(part, subject, engine, window_s)
        _stock(part, subject, model_dir, options)
    finally:
        engine.close()
        vad.close()


def _load(engine: FasterWhisperEngine) -> None:
    """Load and decode once: a GPU's kernels may be compiled in the first decode."""
    engine.load()
    engine.submit(_clip(MIN_WINDOW_S), Urgency.PARTIAL, None).result(timeout=WARM_UP_TIMEOUT_S)


def _windows(part: Part, subject: Subject, engine: FasterWhisperEngine, window_s: float) -> None:
    """Encode, decode and align clips that fill a window: one, and a batch."""
    model = engine._model
    assert model is not None
    clip = _clip(window_s)
    for batch in (1, BATCH):
        took_s = _times(part, lambda clips=[clip] * batch: model.transcribe(clips))  # type: ignore[misc]
        what = f"{window_s:.0f} s window, {'one' if batch == 1 else batch} at once"
        part.tell(what, subject, took_s, scale=1e3, note=f"encode, {WORDS} tokens, word times; greedy")


def _stock(part: Part, subject: Subject, model_dir: Path, options: FasterWhisperOptions) -> None:
    """faster-whisper's own call on 5 s of sound: always a 30 s window, beam 5."""
    from faster_whisper import WhisperModel

    model = WhisperModel(
        str(model_dir), device=options.device, compute_type=options.compute_type, local_files_only=True
    )

    def transcribe() -> None:
        # without word times: where random attention places the words would decide how often it decodes
        segments, _ = model.transcribe(_noise(5.0), language=options.language)
        for _ in segments:
            pass

    what = "stock faster-whisper transcribe of 5 s"
    part.tell(what, subject, _times(part, transcribe), scale=1e3, note="30 s window, beam 5, no word times")


def _times(part: Part, run: Callable[[], object]) -> list[float]:
    """Seconds of each run, after one or two that are not counted."""
    skipped, counted = (1, 2) if part.quick else (2, 20)
    found = []
    for _ in range(skipped + counted):
        began = time.perf_counter()
        run()
        found.append(time.perf_counter() - began)
    return found[skipped:]


def _clip(window_s: float) -> Clip:
    """Sound that just fills an encoder window, apart from its margin."""
    seconds = window_s - FasterWhisperOptions().window_margin_s
    return Clip(_noise(seconds), 0.0, 0.0, seconds)


def _noise(seconds: float) -> Pcm32:
    return np.random.default_rng(0).normal(0, 0.05, round(seconds * SPEECH_RATE)).astype(np.float32)
