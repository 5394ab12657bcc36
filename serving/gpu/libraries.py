"""Checks that the CUDA libraries of all engines can share a process, and loads the one that no engine loads itself.

CTranslate2 opens `libcublas.so.12` by its bare name when it first multiplies on a GPU; torch and onnxruntime are built for
CUDA 13 and bring their own. Both are in the environment (nvidia/cublas/lib, nvidia/cu13/lib), and their symbols are
versioned, so they do not clash. But no search path leads to the first: it is loaded by its path beforehand, so that the
loader then finds it by name.
"""

import ctypes
import mmap
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, distributions
from importlib.util import find_spec
from pathlib import Path

from serving.errors import EngineLoadFailed
from serving.gpu.devices import Gpu, list_gpus

INSTALL = "make setup PROFILE=gpu"
REINSTALL = f"rm -r .venv && {INSTALL}"
GPU_PACKAGES = ("vllm", "nvidia-cublas-cu12", "onnxruntime-gpu")
"""In the gpu lock but not in the cpu lock."""
LIBCUDA = "libcuda.so.1"
CUBLAS_PACKAGE = "nvidia-cublas-cu{major}"
MIN_DRIVER_FOR_CUDA = {12: 525, 13: 580}
"""The oldest driver that runs programs built for that major version of CUDA."""
MIN_CAPABILITY_FOR_CUDA = {12: (5, 0), 13: (7, 5)}
"""The oldest compute capability that that major version of CUDA supports."""
_WANTS_CUBLAS = re.compile(rb"libcublas\.so\.(\d+)")
_TORCH_CUDA = re.compile(r"^cuda\b[^=]*= *'(\d+)\.", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class LibraryProblem:
    """A reason why an engine cannot use the GPU."""

    what: str
    """The library or driver."""
    reason: str
    """What is wrong with it, as a sentence."""
    fix: str
    """One line: a command, or what to install."""

    def __str__(self) -> str:
        return f"{self.reason} Fix: {self.fix}"


def check_libraries(gpus: Iterable[Gpu] = ()) -> tuple[LibraryProblem, ...]:
    """Everything that would stop the engines from using these GPUs; without GPUs, only the packages are checked."""
    return (*_both_onnxruntimes(), *_ctranslate2(), *_drivers(tuple(gpus)))


def missing_packages() -> tuple[str, ...]:
    """The Python packages of the gpu profile that are not installed."""
    return tuple(name for name in GPU_PACKAGES if not _is_installed(name))


def require_gpu(what: str, index: int = 0) -> Gpu:
    """The GPU with that number, which `what` is about to use. Raises EngineLoadFailed if there is none."""
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")  # else CUDA numbers by speed, but the driver by slot
    gpus = list_gpus()
    if index < len(gpus):
        return gpus[index]
    if not gpus:
        raise EngineLoadFailed(
            f"{what} is set to run on a GPU (device: cuda), but no NVIDIA driver answers. Set its device to cpu, or see "
            "what nvidia-smi says."
        )
    raise EngineLoadFailed(
        f"{what} is set to run on GPU {index}, but this process sees only {len(gpus)} (0 to {len(gpus) - 1}). Set its "
        "device_index."
    )


def prepare_ctranslate2(what: str, index: int = 0) -> None:
    """Make sure that CTranslate2 can use that GPU: driver, build, and the cuBLAS that it opens by name. Call it before
    CTranslate2 uses CUDA. Raises EngineLoadFailed."""
    gpu = require_gpu(what, index)
    problems = [*_libcuda(), *_ctranslate2(), *_driver_problems(gpu, "CTranslate2", _cublas_of_ctranslate2())]
    if problems:
        raise EngineLoadFailed(" ".join(map(str, problems)))


def _both_onnxruntimes() -> Iterator[LibraryProblem]:
    found = {dist.name.lower().replace("_", "-") for dist in distributions()}
    if {"onnxruntime", "onnxruntime-gpu"} <= found:
        yield LibraryProblem(
            "onnxruntime",
            "onnxruntime and onnxruntime-gpu are installed on top of each other: they are the same Python package, and it is "
            "chance which files were kept.",
            REINSTALL,
        )


def _ctranslate2() -> Iterator[LibraryProblem]:
    if find_spec("ctranslate2") is None:
        yield LibraryProblem("ctranslate2", "CTranslate2 is not installed.", INSTALL)
        return
    major = _cublas_of_ctranslate2()
    if major is None:
        yield LibraryProblem("ctranslate2", "This build of CTranslate2 does not support CUDA.", REINSTALL)
        return
    try:
        _load_cublas(major)
    except OSError as error:
        yield LibraryProblem(
            f"libcublas.so.{major}",
            f"CTranslate2 needs libcublas.so.{major}, which cannot be loaded ({error}).",
            f"{INSTALL} (it installs {CUBLAS_PACKAGE.format(major=major)})",
        )


@cache
def _cublas_of_ctranslate2() -> int | None:
    """The major version of cuBLAS that the installed build opens; None for a build without CUDA."""
    spec = find_spec("ctranslate2")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    for library in (*package.glob("*.so*"), *package.with_name("ctranslate2.libs").glob("libctranslate2*")):
        with library.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            found = _WANTS_CUBLAS.search(content)
            if found:
                return int(found[1])
    return None


def _load_cublas(major: int) -> None:
    """Load it from the Python package if that is installed, else let the loader search. Raises OSError."""
    folder = _cublas_folder(major)
    # cublasLt first: cublas opens it by name, and another one on the search path would be found first
    for name in (f"libcublasLt.so.{major}", f"libcublas.so.{major}"):
        ctypes.CDLL(name if folder is None else str(folder / name))


def _cublas_folder(major: int) -> Path | None:
    try:
        files = distribution(CUBLAS_PACKAGE.format(major=major)).files or []
    except PackageNotFoundError:
        return None
    found = [Path(str(file.locate())) for file in files if file.name == f"libcublas.so.{major}"]
    return found[0].parent if found else None


def _libcuda() -> Iterator[LibraryProblem]:
    """A container may have the driver's tools without its CUDA library."""
    try:
        ctypes.CDLL(LIBCUDA)
    except OSError as error:
        yield LibraryProblem(
            LIBCUDA,
            f"The driver answers, but its CUDA library cannot be loaded ({error}).",
            "in a container, set NVIDIA_DRIVER_CAPABILITIES=compute,utility; otherwise reinstall the driver",
        )


def _drivers(gpus: tuple[Gpu, ...]) -> Iterator[LibraryProblem]:
    if gpus:
        yield from _libcuda()
    for gpu in gpus:
        yield from _driver_problems(gpu, "PyTorch", _cuda_of_torch())
        yield from _driver_problems(gpu, "CTranslate2", _cublas_of_ctranslate2())


def _driver_problems(gpu: Gpu, library: str, cuda: int | None) -> Iterator[LibraryProblem]:
    """Why a library that was built for major version `cuda` cannot use the GPU; nothing for a build without CUDA (None)."""
    if cuda is None:
        return
    if gpu.driver_cuda[0] < cuda:
        yield LibraryProblem(
            "driver",
            f"{library} is built for CUDA {cuda}; the {gpu.name}'s driver {gpu.driver} supports up to {_dotted(gpu.driver_cuda)}.",
            f"install NVIDIA driver {MIN_DRIVER_FOR_CUDA[cuda]} or later, then reboot",
        )
    if gpu.compute_capability < MIN_CAPABILITY_FOR_CUDA[cuda]:
        yield LibraryProblem(
            "GPU",
            f"{library} is built for CUDA {cuda}, which needs compute capability {_dotted(MIN_CAPABILITY_FOR_CUDA[cuda])}; the "
            f"{gpu.name} has {_dotted(gpu.compute_capability)}.",
            "use a GPU of the Turing generation (2018) or later, or `make run PROFILE=cpu`",
        )


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _cuda_of_torch() -> int | None:
    """The major version of CUDA that torch was built for, read without importing it; None without torch or CUDA."""
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        return None
    version = Path(spec.origin).with_name("version.py")
    found = _TORCH_CUDA.search(version.read_text(encoding="utf-8")) if version.is_file() else None
    return int(found[1]) if found else None


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
