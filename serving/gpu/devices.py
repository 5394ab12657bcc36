"""The NVIDIA GPUs that this process can use, as the driver reports them (NVML). No CUDA context is made."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

MIB = 1024 * 1024
VISIBLE_DEVICES = "CUDA_VISIBLE_DEVICES"
PCI_DEVICES = Path("/sys/bus/pci/devices")
NVIDIA_VENDOR = "0x10de"
DISPLAY_CLASS = "0x03"


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU, or the one slice of a partitioned GPU (MIG) that CUDA would use."""

    index: int
    """CUDA's number for it in this process, with CUDA_DEVICE_ORDER=PCI_BUS_ID."""
    name: str
    total_mib: int
    """Available to programs: without what the driver keeps for itself."""
    free_mib: int
    compute_capability: tuple[int, int]
    driver: str
    """Version of the driver."""
    driver_cuda: tuple[int, int]
    """The newest CUDA version that the driver supports."""


def list_gpus(nvml: Any = None, visible: str | None = None) -> tuple[Gpu, ...]:
    """The GPUs in CUDA's order; none if no driver answers.

    `nvml` is the module pynvml unless given, `visible` the environment's CUDA_VISIBLE_DEVICES. A process
    gets only one slice of a GPU in MIG mode: the one that CUDA_VISIBLE_DEVICES names, else the first.
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
    except nvml.NVMLError:  # the driver lost the GPU, or this container may not query it
        return ()
    finally:
        nvml.nvmlShutdown()


def count_cards(devices: Path = PCI_DEVICES) -> int:
    """NVIDIA GPUs on the PCI bus, whether or not a driver answers; their audio and USB functions do not count."""
    return sum(
        _word(device / "vendor") == NVIDIA_VENDOR and _word(device / "class").startswith(DISPLAY_CLASS)
        for device in devices.glob("*")
    )


def _word(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _visible_handles(nvml: Any, wanted: str | None) -> Iterator[Any]:
    """Read the variable as CUDA does: in its order, up to the first entry that matches nothing; at most one MIG slice."""
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
    """The handle of a number or of a (possibly shortened) UUID; None if there is no such device."""
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
    except nvml.NVMLError:  # cards without MIG do not support the question
        return None
    found = []
    for index in range(nvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
        try:
            found.append(nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, index))
        except nvml.NVMLError:  # positions without a slice
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
    """Total and free, as cudaMemGetInfo reports them; NVML's total includes what the driver keeps."""
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
