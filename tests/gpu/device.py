"""Where the GPU suite runs: on the first GPU, or on the CPU to try the suite itself (CALLBOX_TEST_DEVICE=cpu)."""

import os
from typing import Literal

from scripts.bench.gpu.suite import DEVICE_VARIABLE
from serving.gpu.devices import list_gpus
from serving.gpu.libraries import missing_packages
from serving.stt.whisper_options import ComputeType

Device = Literal["cuda", "cpu"]

DEVICE: Device = "cpu" if os.environ.get(DEVICE_VARIABLE) == "cpu" else "cuda"
HAS_GPU = DEVICE == "cuda"
COMPUTE_TYPES: tuple[ComputeType, ...] = ("float16", "int8_float16") if HAS_GPU else ("int8", "float32")
"""CTranslate2's number formats that are compared with float32 on the CPU."""


def lacking() -> str:
    """Why nothing here can run on this machine, as a sentence; empty if it can."""
    if not HAS_GPU:
        return ""
    gpus = list_gpus()
    if not gpus:
        return "no NVIDIA driver answers on this machine; nvidia-smi says why"
    if packages := missing_packages():
        return f"{gpus[0].name} was found, but the packages {', '.join(packages)} are not installed: `make test-gpu` installs them"
    return ""


def free_mib() -> int:
    """Free memory of the first GPU."""
    return list_gpus()[0].free_mib
