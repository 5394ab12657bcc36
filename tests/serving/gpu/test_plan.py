"""What sits where: the arithmetic for whole boxes."""

from dataclasses import replace
from typing import Any

import pytest

from serving.errors import EngineLoadFailed
from serving.gpu.devices import Gpu
from serving.gpu.llama import LlamaShape, weights_mib
from serving.gpu.memory import GpuMemoryShort
from serving.gpu.plan import CPU, EngineNeed, GpuPlan, LlmNeed, make_plan
from serving.stt.whisper_options import FasterWhisperOptions, memory_need
from tests.serving.gpu.cards import BF16, FP8, TURBO, card

pytestmark = pytest.mark.unit


def whisper(compute_type: Any = "float16", **changes: Any) -> EngineNeed:
    """Turbo on a GPU."""
    resident, work = memory_need(TURBO, FasterWhisperOptions(device="cuda", compute_type=compute_type))
    return replace(EngineNeed(what="stt", device_index=0, resident_mib=resident, work_mib=work), **changes)


def llama(shape: LlamaShape, calls: int, **changes: Any) -> LlmNeed:
    """Llama 8B on a GPU."""
    need = LlmNeed(
        what="llm",
        device_index=0,
        weights_mib=weights_mib(shape),
        shape=shape,
        context_tokens=8192,
        calls=calls,
        reserve_mib=1024,
    )
    return replace(need, **changes)


VOICE = EngineNeed(what="tts", is_late=True)


def taken_mib(plan: GpuPlan, device: str = "GPU 0") -> int:
    """All that is placed on a GPU."""
    return sum(placement.mib for placement in plan.placements if placement.device == device)


@pytest.mark.parametrize(
    ("gib", "shape", "compute_type", "calls", "contexts"),
    [
        (16, FP8, "int8_float16", 3, 3),
        (24, BF16, "float16", 2, 2),
        (24, FP8, "float16", 8, 9),
        (40, BF16, "float16", 16, 19),
        (40, FP8, "float16", 24, 26),
        (80, BF16, "float16", 48, 59),
        (80, FP8, "float16", 48, 65),
    ],
)
def test_a_box_that_fits(gib: int, shape: LlamaShape, compute_type: str, calls: int, contexts: int) -> None:
    gpu = card(gib)
    plan = make_plan([gpu], [whisper(compute_type), VOICE], llama(shape, calls))
    assert plan.llm is not None
    assert plan.llm.kv_tokens // 8192 == contexts
    assert taken_mib(plan) + plan.left_mib[0] == gpu.free_mib
    assert plan.left_mib[0] == 1024
    assert [placement.device for placement in plan.placements if placement.what == "tts"] == [CPU]


@pytest.mark.parametrize(
    ("gib", "shape", "compute_type", "calls", "short_mib"),
    [
        (16, BF16, "int8_float16", 1, 4_174),
        (16, FP8, "float16", 8, 5_531),
        (24, BF16, "float16", 8, 5_570),
        (40, BF16, "float16", 32, 12_665),
    ],
)
def test_a_box_that_does_not(gib: int, shape: LlamaShape, compute_type: str, calls: int, short_mib: int) -> None:
    with pytest.raises(GpuMemoryShort, match=rf"memory is {short_mib:,} MiB short") as refused:
        make_plan([card(gib)], [whisper(compute_type), VOICE], llama(shape, calls))
    assert f"taken: stt {whisper(compute_type).resident_mib:,}" in str(refused.value)


def test_what_other_programs_use_is_missing_and_named() -> None:
    with pytest.raises(GpuMemoryShort, match="other programs 3,000"):
        make_plan([card(24, used_mib=3_000)], [whisper()], llama(FP8, 8))


def test_what_whisper_needs_while_it_decodes_must_be_kept_free() -> None:
    with pytest.raises(GpuMemoryShort, match="reserve_mib to at least 348 in"):
        make_plan([card(80)], [whisper()], llama(BF16, 8, reserve_mib=347))
    assert make_plan([card(80)], [whisper()], llama(BF16, 8, reserve_mib=348)).left_mib == {0: 348}


def test_what_is_loaded_after_vllm_must_be_kept_free_as_a_whole() -> None:
    voice = EngineNeed(what="tts", device_index=0, resident_mib=700, is_late=True)
    with pytest.raises(
        GpuMemoryShort, match=r"stt 348, tts 700\)\. Set engines.llm.options.reserve_mib to at least 1048"
    ):
        make_plan([card(80)], [whisper(), voice], llama(BF16, 8))
    plan = make_plan([card(80)], [whisper(), voice], llama(BF16, 8, reserve_mib=1100))
    assert taken_mib(plan) + plan.left_mib[0] == card(80).free_mib
    assert plan.left_mib[0] == 400


def test_engines_may_have_a_gpu_each() -> None:
    gpus: list[Gpu] = [card(24), card(16, index=1)]
    plan = make_plan(gpus, [whisper(device_index=1)], llama(BF16, 3))
    assert taken_mib(plan, "GPU 1") == whisper().resident_mib
    assert plan.left_mib == {0: 1024, 1: card(16).free_mib - whisper().resident_mib}
    assert plan.gpus == tuple(gpus)


def test_only_gpus_that_are_used_are_reported() -> None:
    assert make_plan([card(24), card(24, index=1)], [whisper()]).gpus == (card(24),)
    assert make_plan([card(24)], [VOICE]).gpus == ()


def test_without_a_language_model_the_work_must_fit_too() -> None:
    tight = replace(card(16), free_mib=whisper().resident_mib + 300)
    with pytest.raises(GpuMemoryShort, match="GPU 0 is 48 MiB short"):
        make_plan([tight], [whisper()])


@pytest.mark.parametrize(
    ("gpus", "text"),
    [
        ([], "no NVIDIA driver answers"),
        ([card(24)], r"to run on GPU 1, but this process sees only 1 \(0 to 0\)"),
    ],
)
def test_a_missing_gpu_is_rejected(gpus: list[Gpu], text: str) -> None:
    with pytest.raises(EngineLoadFailed, match=text):
        make_plan(gpus, [whisper(device_index=1)])


def test_a_gpu_too_old_for_vllm_is_rejected_but_still_good_for_whisper() -> None:
    turing = replace(card(40), name="Quadro RTX 8000", compute_capability=(7, 5))
    with pytest.raises(EngineLoadFailed, match=r"needs compute capability 8\.0 \(Ampere\).* RTX 8000 has 7\.5"):
        make_plan([turing], [whisper()], llama(BF16, 2))
    assert make_plan([turing], [whisper()]).left_mib[0] > 30_000
