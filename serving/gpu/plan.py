"""Where each engine goes and how much of each GPU it takes, worked out before anything is loaded. Pure arithmetic."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from serving.errors import EngineLoadFailed
from serving.gpu.devices import Gpu
from serving.gpu.llama import LlamaShape
from serving.gpu.memory import GpuMemoryShort, LlmBudget, budget_llm

CPU = "CPU"
ELSEWHERE = "its server"
"""Not in this process; what it takes is only seen in what is left."""
MIN_VLLM_CAPABILITY = (8, 0)
"""Compute capability of Ampere (2020), which vLLM's attention kernels and Llama's bfloat16 need."""


@dataclass(frozen=True, slots=True)
class Placement:
    """One item and where it is."""

    what: str
    device: str
    """`CPU`, `GPU 0` ..."""
    mib: int
    """On the GPU; 0 on the CPU."""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineNeed:
    """An engine whose size is known in advance, or that runs on the CPU."""

    what: str
    device_index: int | None = None
    """None: not on a GPU of this process."""
    place: str = CPU
    """Where it runs if not on a GPU."""
    resident_mib: int = 0
    """Taken while it is loaded."""
    work_mib: int = 0
    """Taken on top while it works."""
    is_late: bool = False
    """Loaded after the language model."""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmNeed:
    """A language model on vLLM, whose KV cache gets what the other engines leave."""

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
    """How one process uses its GPUs."""

    gpus: tuple[Gpu, ...]
    """Those that are used."""
    placements: tuple[Placement, ...]
    left_mib: dict[int, int] = field(default_factory=dict)
    """Still free on each GPU after that."""
    llm: LlmBudget | None = None


def make_plan(gpus: Sequence[Gpu], needs: Sequence[EngineNeed], llm: LlmNeed | None = None) -> GpuPlan:
    """Place the engines, then give the language model what those loaded before it leave.

    Raises GpuMemoryShort with figures, or EngineLoadFailed for a GPU that does not exist.
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
    if gpu.compute_capability < MIN_VLLM_CAPABILITY:
        major, minor = gpu.compute_capability
        raise EngineLoadFailed(
            f"vLLM needs compute capability 8.0 (Ampere) for Llama; the {gpu.name} has {major}.{minor}. Use a newer GPU, or "
            "`make run PROFILE=cpu`."
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
    """vLLM takes what is free when it starts, so what the other engines take later must be kept free."""
    later = {need.what: need.work_mib + (need.resident_mib if need.is_late else 0) for need in beside}
    needed = sum(later.values())
    if llm.reserve_mib < needed:
        names = ", ".join(f"{what} {mib:,}" for what, mib in later.items() if mib)
        raise GpuMemoryShort(
            f"The language model leaves {llm.reserve_mib:,} MiB of the GPU free, but the other engines need {needed:,} later "
            f"({names}). Set engines.llm.options.reserve_mib to at least {needed} in configs/site.yaml."
        )


def _require_work(index: int, left_mib: int, needs: Sequence[EngineNeed]) -> None:
    work = sum(need.work_mib for need in needs)
    if left_mib < work:
        names = ", ".join(f"{need.what} {need.resident_mib:,} and {need.work_mib:,} at work" for need in needs)
        raise GpuMemoryShort(
            f"GPU {index} is {work - left_mib:,} MiB short of what its engines need ({names}). Stop whatever else uses it "
            "(`nvidia-smi` lists it), or move an engine to the CPU (device: cpu)."
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
            "An engine is set to run on a GPU, but no NVIDIA driver answers on this machine. `make run PROFILE=cpu` needs no "
            "GPU; if there is one, `nvidia-smi` says why it is not found."
        )
    return (
        f"An engine is set to run on GPU {index}, but this process sees only {count} (0 to {count - 1}). Set its "
        "device_index, or CUDA_VISIBLE_DEVICES."
    )
