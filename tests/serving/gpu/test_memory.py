"""What vLLM is given of a GPU."""

import math
from dataclasses import replace
from typing import Any

import pytest

from serving.errors import EngineLoadFailed
from serving.gpu.llama import LlamaShape, weights_mib
from serving.gpu.memory import CUDA_CONTEXT_MIB, GpuMemoryShort, LlmBudget, budget_llm, kv_mib_per_call, work_mib
from tests.serving.gpu.cards import BF16, FP8, TOTALS_MIB

pytestmark = pytest.mark.unit

WHISPER_MIB = 1_942
RESERVE_MIB = 1_024
MIB = 1024 * 1024


def budget(gib: int, shape: LlamaShape, **changes: Any) -> LlmBudget:
    """On a card with Whisper already on it, for 8 calls of 8,192 tokens unless changed."""
    arguments = {
        "total_mib": TOTALS_MIB[gib],
        "free_mib": TOTALS_MIB[gib] - WHISPER_MIB,
        "weights_mib": weights_mib(shape),
        "shape": shape,
        "context_tokens": 8192,
        "calls": 8,
        "reserve_mib": RESERVE_MIB,
    }
    return budget_llm(**{**arguments, **changes})


FITTING = [(24, FP8, 8), (40, BF16, 8), (40, FP8, 16), (80, BF16, 32), (80, FP8, 48)]


@pytest.mark.parametrize(("gib", "shape", "calls"), FITTING)
def test_vllm_will_start_with_its_share(gib: int, shape: LlamaShape, calls: int) -> None:
    """It wants so much of the total free, once its context has taken its part of what is free now."""
    given = budget(gib, shape, calls=calls)
    requested_mib = math.ceil(TOTALS_MIB[gib] * MIB * given.utilization) / MIB
    free_at_its_start_mib = TOTALS_MIB[gib] - WHISPER_MIB - CUDA_CONTEXT_MIB
    assert requested_mib <= free_at_its_start_mib - RESERVE_MIB
    assert requested_mib > free_at_its_start_mib - RESERVE_MIB - TOTALS_MIB[gib] / 10_000 - 1


@pytest.mark.parametrize(("gib", "shape", "calls"), FITTING)
def test_the_cache_holds_a_full_context_for_every_call(gib: int, shape: LlamaShape, calls: int) -> None:
    given = budget(gib, shape, calls=calls)
    assert given.kv_tokens >= calls * 8192
    assert given.kv_mib == given.kv_tokens // 8  # an eighth of a MiB a token
    assert given.total_mib == TOTALS_MIB[gib] - WHISPER_MIB - RESERVE_MIB


@pytest.mark.parametrize(("gib", "shape", "calls"), [(16, BF16, 1), (16, FP8, 8), (24, BF16, 8), (40, BF16, 32)])
def test_what_does_not_fit_is_refused(gib: int, shape: LlamaShape, calls: int) -> None:
    with pytest.raises(GpuMemoryShort):
        budget(gib, shape, calls=calls)


def test_the_least_is_one_context_a_call_and_a_mib_less_is_too_little() -> None:
    needed = weights_mib(FP8) + work_mib(FP8, calls=8) + 8 * 1024 + RESERVE_MIB
    assert budget(24, FP8, free_mib=needed).kv_mib == 8 * 1024
    with pytest.raises(GpuMemoryShort, match=r"1 MiB short"):
        budget(24, FP8, free_mib=needed - 1)


def test_the_figures_in_a_refusal_add_up() -> None:
    with pytest.raises(GpuMemoryShort) as refused:
        budget(24, BF16, free_mib=20_458, taken={"stt whisper-large-v3-turbo (float16)": WHISPER_MIB})
    assert str(refused.value) == (
        "The GPU's memory is 5,733 MiB short: the language model needs 26,191 (weights 15,317, CUDA and work space 1,658, "
        "KV cache for 8 x 8,192 tokens 8,192, kept free for the other engines 1,024), and 20,458 of 22,563 are free (taken: "
        "stt whisper-large-v3-turbo (float16) 1,942, other programs 163). In configs/site.yaml, choose the FP8 model, 6,656 "
        "MiB smaller (engines: {llm: {model: llama-3.1-8b-instruct-fp8}}); or at most 2 calls (engines: {llm: {options: "
        "{max_calls: 2}}}, capacity: {max_calls: 2}); or a shorter context (engines: {llm: {options: {context_tokens: "
        "2448}}}); or Whisper in 8 bits (engines: {stt: {options: {compute_type: int8_float16}}}). Or stop "
        "whatever else uses the GPU (`nvidia-smi` lists it)."
    )


@pytest.mark.parametrize("changes", [{"calls": 2}, {"context_tokens": 2448}])
def test_what_a_refusal_advises_fits(changes: dict[str, int]) -> None:
    assert budget(24, BF16, free_mib=20_458, **changes).kv_mib >= 0


def test_the_fp8_model_fits_where_it_is_advised() -> None:
    assert budget(24, FP8, free_mib=20_458).kv_tokens >= 8 * 8192


def test_nothing_is_advised_that_does_not_help() -> None:
    with pytest.raises(GpuMemoryShort) as refused:
        budget(16, FP8, free_mib=5_000)
    assert str(refused.value).endswith(
        "are free (taken: whatever runs now 10,946). Stop whatever else uses the GPU (`nvidia-smi` lists it)."
    )


def test_a_cap_on_the_cache_is_kept_and_leaves_the_rest_free() -> None:
    capped = budget(80, BF16, max_kv_mib=12_000)
    assert capped.kv_mib == 12_000
    assert capped.utilization == pytest.approx(
        (weights_mib(BF16) + work_mib(BF16, calls=8) - 500 + 12_000) / 81_090, abs=1e-4
    )


def test_a_cap_below_a_context_for_each_call_lets_calls_share_but_one_must_fit() -> None:
    assert budget(24, FP8, free_mib=14_000, max_kv_mib=2_000).kv_mib == 2_000
    assert budget(24, FP8, free_mib=14_000, max_kv_mib=1).kv_mib == 1_024


def test_calls_may_share_what_holds_a_few_full_contexts() -> None:
    assert budget(24, BF16, calls=8, full_contexts=2).kv_tokens >= 2 * 8192
    assert budget(24, BF16, calls=1, full_contexts=2).kv_tokens >= 8192
    with pytest.raises(GpuMemoryShort, match="KV cache for 2 x 8,192 tokens"):
        budget(16, BF16, calls=8, full_contexts=2)


def test_the_cache_is_handed_out_in_whole_blocks() -> None:
    assert kv_mib_per_call(BF16, 16) == 2
    assert kv_mib_per_call(BF16, 17) == 4


def test_a_context_longer_than_the_model_reads_is_refused() -> None:
    with pytest.raises(EngineLoadFailed, match="at most 8,192 tokens, not 8,193"):
        budget(80, replace(BF16, max_positions=8192), context_tokens=8193)
