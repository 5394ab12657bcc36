"""What sits where and how much of each GPU it takes, worked out before anything is loaded. Pure arithmetic."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from serving.errors import EngineLoadFailed
from serving.gpu.devices import Gpu
from serving.gpu.llama import LlamaShape
from serving.gpu.memory import GpuMemoryShort, LlmBudget, budget_llm

CPU = "CPU"
ELSEWHERE = "its server"
"""Not in this process; nothing is known of what it takes, only of what is left."""
LEAST_FOR_VLLM = (8, 0)
"""Compute capability: Ampere (2020). vLLM's attention kernels and Llama's bfloat16 need it."""


@dataclass(frozen=True, slots=True)
class Placement:
    """One thing and its place."""

    what: str
    device: str
    """`CPU`, `GPU 0` ..."""
    mib: int
    """Of the GPU; 0 on the CPU."""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineNeed:
    """An engine whose size is known beforehand, or one that is on the CPU."""

    what: str
    device_index: int | None = None
    """None: no GPU of this process's."""
    place: str = CPU
    """Where it is if on no GPU."""
    resident_mib: int = 0
    """Taken when it is loaded."""
    work_mib: int = 0
    """More while it works."""
    is_late: bool = False
    """Loaded after the language model."""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmNeed:
    """A language model on vLLM, whose KV cache takes what the others leave."""

    what: str
    device_index: int
    weights_mib: int
    shape: LlamaShape
    context_tokens: int
    calls: int
    reserve_mib: int
    full_contexts: int | None = None
    max_kv_mib: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuPlan:
    """The whole process's use of its GPUs."""

    gpus: tuple[Gpu, ...]
    """Those that are used."""
    placements: tuple[Placement, ...]
    left_mib: dict[int, int] = field(default_factory=dict)
    """Free after all of it, by GPU."""
    llm: LlmBudget | None = None


def make_plan(gpus: Sequence[Gpu], needs: Sequence[EngineNeed], llm: LlmNeed | None = None) -> GpuPlan:
    """Place the engines, the language model on what those loaded before it leave.

    Raises GpuMemoryShort with figures, and EngineLoadFailed for a GPU that is not there.
    """
    left = {gpu.index: gpu.free_mib for gpu in gpus}
    used = {need.device_index for need in needs if need.device_index is not None}
    used |= {llm.device_index} if llm is not None else set()
    for index in sorted(used - set(left)):
        raise EngineLoadFailed(_no_such_gpu(index, len(left)))
    placements = [_placed(need) for need in needs]
    for need in needs:
        if need.device_index is not None:
            left[need.device_index] -= need.resident_mib
    budget = None
    if llm is not None:
        gpu = next(gpu for gpu in gpus if gpu.index == llm.device_index)
        _require_ampere(gpu)
        beside = [need for need in needs if need.device_index == gpu.index]
        _require_reserve(llm, beside)
        early = {need.what: need.resident_mib for need in beside if not need.is_late}
        budget = _budget(gpu, llm, early)
        left[gpu.index] -= budget.total_mib
        placements += _placed_llm(llm, budget)
    for index in used:
        _require_work(index, left[index], [need for need in needs if need.device_index == index])
    return GpuPlan(
        gpus=tuple(gpu for gpu in gpus if gpu.index in used),
        placements=tuple(placements),
        left_mib={index: left[index] for index in sorted(used)},
        llm=budget,
    )


def _require_ampere(gpu: Gpu) -> None:
    if gpu.compute_capability < LEAST_FOR_VLLM:
        major, minor = gpu.compute_capability
        raise EngineLoadFailed(
            f"vLLM needs compute capability 8.0 (Ampere) for Llama, and the {gpu.name} has {major}.{minor}. Use a newer GPU, "
            "or make run PROFILE=cpu."
        )


def _budget(gpu: Gpu, llm: LlmNeed, taken: dict[str, int]) -> LlmBudget:
    return budget_llm(
        total_mib=gpu.total_mib,
        free_mib=gpu.free_mib - sum(taken.values()),
        weights_mib=llm.weights_mib,
        shape=llm.shape,
        context_tokens=llm.context_tokens,
        calls=llm.calls,
        reserve_mib=llm.reserve_mib,
        full_contexts=llm.full_contexts,
        max_kv_mib=llm.max_kv_mib,
        taken=taken,
    )


def _require_reserve(llm: LlmNeed, beside: Sequence[EngineNeed]) -> None:
    """vLLM takes what is free when it starts, so whatever the others take afterwards must have been kept free."""
    later = {need.what: need.work_mib + (need.resident_mib if need.is_late else 0) for need in beside}
    needed = sum(later.values())
    if llm.reserve_mib < needed:
        names = ", ".join(f"{what} {mib:,}" for what, mib in later.items() if mib)
        raise GpuMemoryShort(
            f"{llm.reserve_mib:,} MiB of the GPU are kept free beside the language model, and the other engines need "
            f"{needed:,} later ({names}). Set engines.llm.options.reserve_mib to at least {needed} in configs/site.yaml."
        )


def _require_work(index: int, left_mib: int, needs: Sequence[EngineNeed]) -> None:
    work = sum(need.work_mib for need in needs)
    if left_mib < work:
        names = ", ".join(f"{need.what} {need.resident_mib:,} and {need.work_mib:,} at work" for need in needs)
        raise GpuMemoryShort(
            f"GPU {index} is {work - left_mib:,} MiB short of what its engines need ({names}). Stop what else uses it "
            "(nvidia-smi shows it), or put an engine on the CPU (device: cpu)."
        )


def _placed(need: EngineNeed) -> Placement:
    if need.device_index is None:
        return Placement(need.what, need.place, 0, need.detail)
    return Placement(need.what, f"GPU {need.device_index}", need.resident_mib, need.detail)


def _placed_llm(llm: LlmNeed, budget: LlmBudget) -> list[Placement]:
    device = f"GPU {llm.device_index}"
    contexts = budget.kv_tokens // llm.context_tokens
    return [
        Placement(f"{llm.what}: weights", device, budget.weights_mib),
        Placement(f"{llm.what}: work space", device, budget.work_mib, "CUDA, activations, CUDA graphs"),
        Placement(
            f"{llm.what}: KV cache",
            device,
            budget.kv_mib,
            f"{budget.kv_tokens:,} tokens: {contexts} contexts of {llm.context_tokens:,}",
        ),
    ]


def _no_such_gpu(index: int, count: int) -> str:
    if count == 0:
        return (
            "An engine is to run on a GPU, and no NVIDIA driver answers on this machine: make run PROFILE=cpu runs without "
            "one; nvidia-smi shows why a GPU that is there is not found."
        )
    return (
        f"An engine is to run on GPU {index}, and this process sees {count} (0 to {count - 1}). Set its device_index, or "
        "CUDA_VISIBLE_DEVICES."
    )
