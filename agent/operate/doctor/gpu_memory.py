"""Whether what the profile puts on the GPU fits into what is free of it."""

from collections.abc import Iterator

from agent.operate.doctor.installation import CannotExamine, Installation
from agent.operate.doctor.report import Row, Subject, split_advice
from agent.operate.gpu_plan import plan_for, uses_gpu
from models.errors import CallboxError
from serving.gpu.devices import list_gpus
from serving.gpu.plan import CPU, GpuPlan

GPU_MEMORY = Subject("gpu_memory", "GPU memory")


def check(installation: Installation) -> Iterator[Row]:
    """One row."""
    if not uses_gpu(installation.settings):
        raise CannotExamine(f"the profile {installation.profile} puts nothing on a GPU")
    if installation.running is not None and installation.running.profile == installation.profile:
        raise CannotExamine(f"{installation.running}, and has its share already")
    gpus = list_gpus()
    if not gpus:
        raise CannotExamine("no GPU answers (row NVIDIA GPU and driver)")
    try:
        yield judge(plan_for(installation.settings, installation.store, gpus))
    except CallboxError as error:
        yield refused(error)


def judge(plan: GpuPlan) -> Row:
    """A plan is a fit; what does not fit is refused before."""
    placed = "; ".join(f"{item.what} {item.mib:,} MiB" for item in plan.placements if item.device != CPU)
    left = "; ".join(f"{mib:,} MiB left of GPU {index}" for index, mib in plan.left_mib.items())
    return GPU_MEMORY.ok(f"{placed}; {left}")


def refused(error: CallboxError) -> Row:
    """With the plan's own figures."""
    found, fix = split_advice(
        str(error), otherwise="`make run PROFILE=cpu`, or stop what else uses the GPU (nvidia-smi)."
    )
    return GPU_MEMORY.failed(found, fix=fix)
