"""What Whisper's options mean for windows, batches and memory, and which are refused."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from models.store import open_store
from serving.errors import EngineLoadFailed
from serving.gpu.devices import list_gpus
from serving.gpu.known import WHISPERS
from serving.gpu.whisper import CUDA_CONTEXT_MIB, weights_mib, work_mib
from serving.stt.faster_whisper import FasterWhisperEngine
from serving.stt.whisper_options import (
    GPU_ONLY,
    FasterWhisperOptions,
    batch_limit,
    memory_need,
    windows_to_warm,
)
from serving.vad.silero import SileroOptions, SileroVad

pytestmark = pytest.mark.unit

TURBO = WHISPERS["whisper-large-v3-turbo"]


def options(**values: Any) -> FasterWhisperOptions:
    """Options as read from a profile."""
    return TypeAdapter(FasterWhisperOptions).validate_python(values)


@pytest.mark.parametrize("compute_type", GPU_ONLY)
def test_16_bit_floats_need_a_gpu(compute_type: str) -> None:
    with pytest.raises(ValidationError, match=f"{compute_type} needs device: cuda; on a CPU use int8 or float32"):
        options(compute_type=compute_type)
    assert options(device="cuda", compute_type=compute_type).compute_type == compute_type


@pytest.mark.parametrize(
    "values",
    [
        {"compute_type": "int4"},
        {"device": "gpu"},
        {"device": "cuda", "compute_type": "int16"},
        {"device": "cuda", "device_index": -1},
        {"max_batch": 0},
    ],
)
def test_what_ctranslate2_does_not_know_is_refused_when_settings_are_read(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        options(**values)


@pytest.mark.parametrize(("seconds", "limit"), [(10, 8), (11, 6), (14, 4), (20, 2), (28, 1), (30, 1)])
def test_on_a_gpu_long_clips_share_less(seconds: int, limit: int) -> None:
    assert batch_limit(seconds * 100, options(device="cuda")) == limit


@pytest.mark.parametrize("seconds", [4, 10, 30])
def test_on_a_cpu_every_window_has_the_same_limit(seconds: int) -> None:
    assert batch_limit(seconds * 100, options()) == 2
    assert batch_limit(seconds * 100, options(max_batch=5)) == 5


def test_no_window_needs_much_more_than_a_full_batch_of_the_shortest() -> None:
    gpu = options(device="cuda", compute_type="float16")
    _, work = memory_need(TURBO, gpu)
    shortest = work_mib(TURBO, "float16", clips=8, window_s=10)
    assert work == pytest.approx(shortest, rel=0.1)
    assert len(windows_to_warm(gpu)) > 15  # every window that a call can ask for was checked


def test_8_bits_halve_what_stays_on_the_gpu() -> None:
    wide, _ = memory_need(TURBO, options(device="cuda", compute_type="float16"))
    narrow, _ = memory_need(TURBO, options(device="cuda", compute_type="int8_float16"))
    assert wide == CUDA_CONTEXT_MIB + weights_mib(TURBO, "float16")
    assert narrow - CUDA_CONTEXT_MIB == pytest.approx((wide - CUDA_CONTEXT_MIB) / 2, rel=0.02)


@pytest.mark.skipif(bool(list_gpus()), reason="this machine has a GPU")
@pytest.mark.parametrize("compute_type", ["float16", "int8_float16", "default"])
def test_a_gpu_where_there_is_none_is_refused_in_one_sentence(compute_type: str) -> None:
    store = open_store()
    vad = SileroVad(SileroOptions(), store.resolve("silero-vad"))
    engine = FasterWhisperEngine(options(device="cuda", compute_type=compute_type), store.resolve("demo-stt"), vad)
    with pytest.raises(EngineLoadFailed) as refused:
        engine.load()
    assert str(refused.value) == (
        "Speech recognition is set to run on a GPU (device: cuda), but no NVIDIA driver answers. Set its device to cpu, or see "
        "what nvidia-smi says."
    )
    engine.close()


def test_missing_files_are_told_before_a_missing_gpu(tmp_path: Path) -> None:
    store = open_store()
    vad = SileroVad(SileroOptions(), store.resolve("silero-vad"))
    with pytest.raises(Exception, match=r"model\.bin is missing"):
        FasterWhisperEngine(options(device="cuda"), tmp_path, vad).load()
