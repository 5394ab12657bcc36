"""Whether an NVIDIA GPU answers, and its driver is new enough for CUDA 13, which torch and vLLM are built for."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.operate.doctor.installation import Installation
from agent.operate.doctor.report import Row, Subject
from agent.operate.profiles import LEAST_CAPABILITY
from serving.gpu.devices import Gpu, list_gpus

GPU = Subject("gpu", "NVIDIA GPU and driver")
LEAST_DRIVER = 580
"""Major version; the first for CUDA 13."""
LEAST_CUDA = (13, 0)
PCI_DEVICES = Path("/sys/bus/pci/devices")
NVIDIA_VENDOR = "0x10de"
DISPLAY_CLASS = "0x03"
KERNEL_MODULE = Path("/proc/driver/nvidia/version")


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuFacts:
    """What answers, and what would if its driver were right."""

    gpus: tuple[Gpu, ...]
    cards: int
    """NVIDIA display and compute cards on the PCI bus."""
    module_loaded: bool
    """The driver's kernel module."""


def check(installation: Installation) -> Iterator[Row]:
    """One row."""
    yield judge(find_gpus(), needed=installation.needs_gpu, profile=installation.profile)


def find_gpus() -> GpuFacts:
    """Ask the driver and the bus; no CUDA context is made."""
    return GpuFacts(gpus=list_gpus(), cards=count_cards(), module_loaded=KERNEL_MODULE.exists())


def count_cards(devices: Path = PCI_DEVICES) -> int:
    """NVIDIA cards that compute; their sound and USB parts do not count."""
    return sum(
        _word(device / "vendor") == NVIDIA_VENDOR and _word(device / "class").startswith(DISPLAY_CLASS)
        for device in devices.glob("*")
    )


def judge(facts: GpuFacts, *, needed: bool, profile: str) -> Row:
    """Needed by the profile gpu only."""
    if not facts.gpus:
        return _without(facts, needed=needed, profile=profile)
    first = facts.gpus[0]
    found = "; ".join(map(_shown, facts.gpus)) + f"; driver {first.driver}, CUDA {_dotted(first.driver_cuda)}"
    old_driver = _major(first.driver) < LEAST_DRIVER or first.driver_cuda < LEAST_CUDA
    if not needed:
        return GPU.ok(f"{found}; not used by the profile {profile}")
    if old_driver:
        return GPU.failed(
            f"{found}; CUDA {_dotted(LEAST_CUDA)} needs driver {LEAST_DRIVER} or later",
            fix=f"`apt-get install nvidia-driver-{LEAST_DRIVER}` (your distribution's package of it), then reboot.",
        )
    if first.compute_capability < LEAST_CAPABILITY:
        return GPU.failed(
            f"{found}; the profile needs compute capability {_dotted(LEAST_CAPABILITY)} (Ampere, 2020) or later",
            fix="`make run PROFILE=cpu`, or take a newer GPU.",
        )
    return GPU.ok(found)


def _without(facts: GpuFacts, *, needed: bool, profile: str) -> Row:
    if facts.cards and facts.module_loaded:
        found = f"{facts.cards} on the bus, the driver is loaded, and none may be used by this process"
        fix = "`nvidia-smi` says why; in a container, start it with --gpus all; look at CUDA_VISIBLE_DEVICES."
    elif facts.cards:
        found = f"{facts.cards} on the bus, but no driver is loaded"
        fix = f"`apt-get install nvidia-driver-{LEAST_DRIVER}` (your distribution's package of it), then reboot."
    else:
        found, fix = "none in this machine", "`make run PROFILE=cpu`, or put an NVIDIA GPU in."
    if needed:
        return GPU.failed(found, fix=fix)
    if facts.cards:
        return GPU.warning(f"{found}; the profile {profile} does without", fix=fix)
    return GPU.skipped(f"{found}, and the profile {profile} needs none")


def _shown(gpu: Gpu) -> str:
    return f"{gpu.name}, {gpu.total_mib:,} MiB, compute capability {_dotted(gpu.compute_capability)}"


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _major(driver: str) -> int:
    major = driver.partition(".")[0]
    return int(major) if major.isdecimal() else 0


def _word(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
