"""Whether an NVIDIA GPU answers, its driver is new enough, and the profile fits into its memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.operate.doctor.installation import CannotExamine, Installation
from agent.operate.doctor.report import Row, Subject, split_advice
from agent.operate.gpu_plan import plan_for, uses_gpu
from models.errors import CallboxError
from serving.gpu.devices import Gpu, count_cards, list_gpus
from serving.gpu.libraries import MIN_DRIVER_FOR_CUDA
from serving.gpu.plan import CPU, MIN_VLLM_CAPABILITY, GpuPlan

GPU = Subject("gpu", "NVIDIA GPU and driver")
GPU_MEMORY = Subject("gpu_memory", "GPU memory")
CUDA = 13
"""torch and vLLM are built for it."""
MIN_DRIVER = MIN_DRIVER_FOR_CUDA[CUDA]
INSTALL_DRIVER = f"`apt-get install nvidia-driver-{MIN_DRIVER}` (or your distribution's package of it), then reboot."
KERNEL_MODULE = Path("/proc/driver/nvidia/version")


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuFacts:
    """The GPUs that answer, and signs of one if none does."""

    gpus: tuple[Gpu, ...]
    cards: int
    """NVIDIA display and compute cards on the PCI bus."""
    module_loaded: bool
    """Whether the driver's kernel module is loaded."""


def check_gpu(installation: Installation) -> Iterator[Row]:
    """One row."""
    yield judge_gpu(find_gpus(), needed=installation.needs_gpu, profile=installation.profile)


def check_memory(installation: Installation) -> Iterator[Row]:
    """One row."""
    if not uses_gpu(installation.settings):
        raise CannotExamine(f"profile {installation.profile} uses no GPU")
    if installation.running is not None and installation.running.profile == installation.profile:
        raise CannotExamine(f"{installation.running}, and already holds its share")
    gpus = list_gpus()
    if not gpus:
        raise CannotExamine("no GPU answers (row NVIDIA GPU and driver)")
    try:
        yield judge_memory(plan_for(installation.settings, installation.store, gpus))
    except CallboxError as error:
        yield refuse_memory(error)


def find_gpus() -> GpuFacts:
    """Ask the driver and the bus; no CUDA context is made."""
    return GpuFacts(gpus=list_gpus(), cards=count_cards(), module_loaded=KERNEL_MODULE.exists())


def judge_gpu(facts: GpuFacts, *, needed: bool, profile: str) -> Row:
    """Only the gpu profile needs one."""
    if not facts.gpus:
        return _judge_missing(facts, needed=needed, profile=profile)
    first = facts.gpus[0]
    found = "; ".join(map(_describe, facts.gpus)) + f"; driver {first.driver}, CUDA {_dotted(first.driver_cuda)}"
    if not needed:
        return GPU.ok(f"{found}; not used by profile {profile}")
    if first.driver_cuda < (CUDA, 0):
        return GPU.failed(f"{found}; CUDA {CUDA} needs driver {MIN_DRIVER} or later", fix=INSTALL_DRIVER)
    if first.compute_capability < MIN_VLLM_CAPABILITY:
        return GPU.failed(
            f"{found}; the profile needs compute capability {_dotted(MIN_VLLM_CAPABILITY)} (Ampere, 2020) or later",
            fix="`make run PROFILE=cpu`, or use a newer GPU.",
        )
    return GPU.ok(found)


def judge_memory(plan: GpuPlan) -> Row:
    """A plan always fits; plan_for refuses what does not."""
    placed = "; ".join(f"{item.what} {item.mib:,} MiB" for item in plan.placements if item.device != CPU)
    left = "; ".join(f"{mib:,} MiB left on GPU {index}" for index, mib in plan.left_mib.items())
    return GPU_MEMORY.ok(f"{placed}; {left}")


def refuse_memory(error: CallboxError) -> Row:
    """What plan_for says of a profile that does not fit."""
    otherwise = "`make run PROFILE=cpu`, or stop whatever else uses the GPU (`nvidia-smi` lists it)."
    found, fix = split_advice(str(error), otherwise=otherwise)
    return GPU_MEMORY.failed(found, fix=fix)


def _judge_missing(facts: GpuFacts, *, needed: bool, profile: str) -> Row:
    cards = f"{facts.cards} NVIDIA {'card' if facts.cards == 1 else 'cards'} found"
    if facts.cards and facts.module_loaded:
        found = f"{cards}, and the driver is loaded, but this process cannot use them"
        fix = "`nvidia-smi` says why. Start a container with --gpus all; also check CUDA_VISIBLE_DEVICES."
    elif facts.cards:
        found, fix = f"{cards}, but no driver is loaded", INSTALL_DRIVER
    else:
        found, fix = "no NVIDIA GPU found", "`make run PROFILE=cpu`, or install an NVIDIA GPU."
    if needed:
        return GPU.failed(found, fix=fix)
    if facts.cards:
        return GPU.warning(f"{found}; profile {profile} does not need it", fix=fix)
    return GPU.skipped(f"{found}; profile {profile} needs none")


def _describe(gpu: Gpu) -> str:
    return f"{gpu.name}, {gpu.total_mib:,} MiB, compute capability {_dotted(gpu.compute_capability)}"


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
