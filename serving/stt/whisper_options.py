"""How a Whisper model is run, and what follows for the encoder's windows, batches and memory. Pure."""

import math
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from serving.audio import SPEECH_RATE
from serving.gpu.whisper import CUDA_CONTEXT_MIB, WhisperShape, weights_mib, work_mib
from serving.stt.guards import GuardOptions
from serving.stt.segmenter import SegmenterOptions

FRAMES_PER_S = 100
"""Mel frames per second; Whisper's hop is 10 ms."""
MAX_WINDOW_S = 30.0
"""Whisper's encoder has positions for 30 s."""
GPU_BATCH, CPU_BATCH = 8, 2

ComputeType = Literal[
    "default",
    "auto",
    "int8",
    "int8_float32",
    "int8_float16",
    "int8_bfloat16",
    "int16",
    "float16",
    "bfloat16",
    "float32",
]
GPU_ONLY = ("float16", "bfloat16", "int8_float16", "int8_bfloat16")
"""CTranslate2 computes in 16-bit floats on GPUs only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FasterWhisperOptions:
    """How a Whisper model is run. Fits any CTranslate2 Whisper: English only or multilingual, 80 or 128 mel bands."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    device: Literal["cpu", "cuda"] = "cpu"
    device_index: int = 0
    """Which GPU."""
    compute_type: ComputeType = "default"
    """CTranslate2's number formats. default: as the model was saved; int8_float16 takes half the GPU memory of float16."""
    threads: int = 1
    """CPU threads per decode."""
    language: str = "en"
    """Spoken language, for multilingual models."""
    window_floor_s: float = 10.0
    """The encoder's shortest window. Standard Whisper loses words below about 10 s (CTranslate2 issue 2100)."""
    window_bucket_s: float = 1.0
    """Windows are multiples of this, so that clips of similar length share a batch."""
    window_margin_s: float = 0.5
    """The least silence that every clip is padded with."""
    suppress_blank: bool = True
    """Forbid an empty decode, as openai/whisper does. Turn off for models trained to write nothing for noise."""
    initial_prompt: str = ""
    """Text that the model takes for what was said before. For models trained with prompts (all of OpenAI's are)."""
    hotwords: str = ""
    """Names and terms to expect, put before the initial prompt. For models trained with prompts."""
    max_batch: int | None = None
    """The most clips to decode together. None: 8 on a GPU; 2 on a CPU, where a batch takes about as long as its clips in turn.
    On a GPU this is for the shortest window: attention grows with the square of the length, so longer clips form smaller batches."""
    partial_load: float = 0.4
    """The share of time that one call's partial decodes may take: the slower decoding is, the fewer interims."""
    segmenter: SegmenterOptions = field(default_factory=SegmenterOptions)
    guards: GuardOptions = field(default_factory=GuardOptions)

    def __post_init__(self) -> None:
        if self.device == "cpu" and self.compute_type in GPU_ONLY:
            raise ValueError(f"compute_type {self.compute_type} needs device: cuda; on a CPU use int8 or float32")
        if self.device == "cuda" and self.compute_type == "int16":
            raise ValueError("compute_type int16 needs device: cpu; on a GPU use float16 or int8_float16")
        if self.device_index < 0:
            raise ValueError("device_index must be 0 or more")
        if self.max_batch is not None and self.max_batch < 1:
            raise ValueError("max_batch must be at least 1")


def window_frames(samples: int, options: FasterWhisperOptions) -> int:
    """Mel frames of the encoder window for a clip of this many samples at 16 kHz: an even number, at most 3000."""
    needed_s = max(options.window_floor_s, samples / SPEECH_RATE + options.window_margin_s)
    buckets = math.ceil(needed_s / options.window_bucket_s - 1e-6)
    return 2 * round(min(MAX_WINDOW_S, buckets * options.window_bucket_s) * FRAMES_PER_S / 2)


def windows_to_warm(options: FasterWhisperOptions) -> list[int]:
    """Mel frames of the windows to run once before the first call, longest first.

    A GPU chooses its kernels by shape, so it has to see every window that a call can ask for. A CPU only has to allocate
    memory for the longest one.
    """
    floor = window_frames(0, options)
    longest = window_frames(round(options.segmenter.max_utterance_s * SPEECH_RATE), options)
    bucket = round(options.window_bucket_s * FRAMES_PER_S) if options.device == "cuda" else max(1, longest - floor)
    return sorted({longest, *range(floor, longest, bucket)}, reverse=True)


def batch_limit(frames: int, options: FasterWhisperOptions) -> int:
    """How many clips of this many mel frames are decoded together at most; at least one."""
    limit = options.max_batch or (CPU_BATCH if options.device == "cpu" else GPU_BATCH)
    if options.device == "cpu":
        return limit
    return max(1, min(limit, int(limit * (window_frames(0, options) / frames) ** 2)))


def memory_need(shape: WhisperShape, options: FasterWhisperOptions) -> tuple[int, int]:
    """MiB on the GPU once loaded, and at most how many more while decoding. An estimate."""
    work = max(
        work_mib(shape, options.compute_type, clips=batch_limit(frames, options), window_s=frames / FRAMES_PER_S)
        for frames in windows_to_warm(options)
    )
    return CUDA_CONTEXT_MIB + weights_mib(shape, options.compute_type), work
