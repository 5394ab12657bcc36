"""The NVIDIA GPUs that this process can use, as the driver tells it (NVML). Nothing is computed and no context is made."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

MIB = 1024 * 1024
VISIBLE_DEVICES = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU, or the one slice of a partitioned GPU (MIG) that CUDA would use."""

    index: int
    """CUDA's number for it in this process, with CUDA_DEVICE_ORDER=PCI_BUS_ID."""
    name: str
    total_mib: int
    """What programs can have of it: without what the driver keeps for itself."""
    free_mib: int
    compute_capability: tuple[int, int]
    driver: str
    """The driver's version."""
    driver_cuda: tuple[int, int]
    """The newest CUDA that the driver runs."""


def list_gpus(nvml: Any = None, visible: str | None = None) -> tuple[Gpu, ...]:
    """The GPUs in CUDA's order; none where no driver answers.

    `nvml` is the module pynvml unless given, `visible` the environment's CUDA_VISIBLE_DEVICES. Of a GPU in MIG mode a
    process gets one slice: the one that CUDA_VISIBLE_DEVICES names, else the first.
    """
    try:
        nvml = nvml or import_module("pynvml")
        nvml.nvmlInit()
    except ImportError:
        return ()
    except nvml.NVMLError:
        return ()
    try:
        wanted = os.environ.get(VISIBLE_DEVICES) if visible is None else visible
        return tuple(_gpu(nvml, index, handle) for index, handle in enumerate(_visible_handles(nvml, wanted)))
    except nvml.NVMLError:  # the driver lost the GPU, or this container may not look at it
        return ()
    finally:
        nvml.nvmlShutdown()


def _visible_handles(nvml: Any, wanted: str | None) -> Iterator[Any]:
    """As CUDA reads the variable: in its order, up to the first entry that names nothing; at most one MIG slice."""
    whole = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
    names = [str(index) for index in range(len(whole))] if wanted is None else wanted.split(",")
    for name in map(str.strip, names):
        handle = _named(nvml, whole, name)
        if handle is None:
            return
        slices = _slices(nvml, handle)
        if slices is not None:
            yield from slices[:1]
            return
        yield handle
        if name.startswith("MIG-"):
            return


def _named(nvml: Any, whole: list[Any], name: str) -> Any | None:
    """A handle by number or by UUID, which may be shortened; None if there is no such device."""
    if name.isdecimal():
        return whole[int(name)] if int(name) < len(whole) else None
    candidates = [*whole, *(piece for handle in whole for piece in _slices(nvml, handle) or [])]
    matching = [handle for handle in candidates if name and nvml.nvmlDeviceGetUUID(handle).startswith(name)]
    return matching[0] if matching else None


def _slices(nvml: Any, handle: Any) -> list[Any] | None:
    """The MIG slices of a GPU; None for a GPU that is not in MIG mode, or is a slice itself."""
    try:
        if not nvml.nvmlDeviceGetMigMode(handle)[0]:
            return None
    except nvml.NVMLError:  # cards without MIG do not know the question
        return None
    found = []
    for index in range(nvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
        try:
            found.append(nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, index))
        except nvml.NVMLError:  # places without a slice
            continue
    return found


def _gpu(nvml: Any, index: int, handle: Any) -> Gpu:
    total_mib, free_mib = _memory_mib(nvml, handle)
    newest = nvml.nvmlSystemGetCudaDriverVersion()
    return Gpu(
        index=index,
        name=nvml.nvmlDeviceGetName(handle),
        total_mib=total_mib,
        free_mib=free_mib,
        compute_capability=_capability(nvml, handle),
        driver=nvml.nvmlSystemGetDriverVersion(),
        driver_cuda=(newest // 1000, newest % 1000 // 10),
    )


def _memory_mib(nvml: Any, handle: Any) -> tuple[int, int]:
    """Total and free, as cudaMemGetInfo will tell them: NVML's total contains what the driver keeps."""
    try:
        memory = nvml.nvmlDeviceGetMemoryInfo(handle, nvml.nvmlMemory_v2)
        return (memory.total - memory.reserved) // MIB, memory.free // MIB
    except nvml.NVMLError:  # drivers before 510
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
        return memory.total // MIB, memory.free // MIB


def _capability(nvml: Any, handle: Any) -> tuple[int, int]:
    try:
        whole = nvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(handle)
    except nvml.NVMLError:  # it is a whole GPU
        whole = handle
    major, minor = nvml.nvmlDeviceGetCudaComputeCapability(whole)
    return major, minor
