"""CUDA libraries of several versions in one process, with libraries and packages made here."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib import invalidate_caches
from pathlib import Path

import pytest

from serving.errors import EngineLoadFailed
from serving.gpu.devices import list_gpus
from serving.gpu.libraries import (
    GPU_PACKAGES,
    LibraryProblem,
    check_libraries,
    missing_packages,
    prepare_ctranslate2,
    require_gpu,
)
from tests.serving.gpu.cards import card

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
L4 = card(24)
no_gpu = pytest.mark.skipif(bool(list_gpus()), reason="this machine has a GPU")

CUBLAS_BY_NAME = """
import ctypes
from serving.gpu.libraries import check_libraries
problems = [problem for problem in check_libraries() if problem.what.startswith("libcublas")]
assert not problems, problems
# as CTranslate2 does it: by the bare name
assert ctypes.CDLL("libcublas.so.12").version() == 12
# and CUDA 13's, loaded afterwards, answers for itself
newer = ctypes.CDLL({newer!r})
assert newer.version() == 13
assert ctypes.CDLL("libcublas.so.12").version() == 12
assert not hasattr(ctypes.CDLL(None), "version"), "symbols have leaked into the whole process"
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of Python packages in front of the installed ones."""
    monkeypatch.syspath_prepend(tmp_path)
    invalidate_caches()
    yield tmp_path
    invalidate_caches()


def install(site: Path, name: str, files: tuple[str, ...] = ()) -> None:
    """A distribution's metadata, as an installer leaves it."""
    info = site / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in files))


def package(site: Path, name: str, **files: str) -> None:
    """A Python package with these modules."""
    (site / name).mkdir()
    for module, content in {"__init__": "raise AssertionError('imported')", **files}.items():
        (site / name / f"{module}.py").write_text(content)
    invalidate_caches()


def build_cublas(site: Path, major: int) -> Path:
    """libcublas.so.MAJOR, which needs its libcublasLt, in the place of NVIDIA's. 12's does not find it by itself."""
    folder = site / "nvidia" / ("cublas" if major == 12 else f"cu{major}") / "lib"
    folder.mkdir(parents=True)
    lt, cublas = folder / f"libcublasLt.so.{major}", folder / f"libcublas.so.{major}"
    (site / "lt.c").write_text(f"int lt_version(void) {{ return {major}; }}\n")
    (site / "cublas.c").write_text("int lt_version(void);\nint version(void) { return lt_version(); }\n")
    compile_shared = ["cc", "-shared", "-fPIC", "-Wl,--default-symver"]
    subprocess.run([*compile_shared, "-o", lt, f"-Wl,-soname,{lt.name}", site / "lt.c"], check=True)
    found_beside = ["-Wl,-rpath,$ORIGIN"] if major == 13 else []
    linked: list[str | Path] = ["-o", cublas, f"-Wl,-soname,{cublas.name}", *found_beside, site / "cublas.c", lt]
    subprocess.run([*compile_shared, *linked], check=True)
    return cublas


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler to make libraries with")
def test_ctranslate2_finds_its_cublas_by_name_and_cuda_13_lives_beside_it(tmp_path: Path) -> None:
    build_cublas(tmp_path, 12)
    install(
        tmp_path, "nvidia-cublas-cu12", ("nvidia/cublas/lib/libcublas.so.12", "nvidia/cublas/lib/libcublasLt.so.12")
    )
    newer = build_cublas(tmp_path, 13)
    program = CUBLAS_BY_NAME.format(newer=str(newer))
    environment = {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    result = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.skipif("nvidia-cublas-cu12" not in missing_packages(), reason="cuBLAS 12 is installed")
def test_a_missing_cublas_is_named_with_the_command_that_installs_it() -> None:
    (problem,) = (problem for problem in check_libraries() if problem.what == "libcublas.so.12")
    assert "CTranslate2 needs libcublas.so.12" in problem.reason
    assert problem.fix.startswith("make setup PROFILE=gpu")


def test_a_ctranslate2_without_cuda_is_reported(site: Path) -> None:
    # in a process of its own: what the real one wants is found out once
    package(site, "ctranslate2")
    libraries = site / "ctranslate2.libs"
    libraries.mkdir()
    (libraries / "libctranslate2-1.so.4").write_bytes(b"\x7fELF no CUDA in here")
    program = "from serving.gpu.libraries import check_libraries\nprint(*check_libraries(), sep='\\n')"
    environment = {"PYTHONPATH": f"{site}:{ROOT}"}
    result = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert (
        "This build of CTranslate2 does not support CUDA. Fix: rm -r .venv && make setup PROFILE=gpu" in result.stdout
    )


def test_both_builds_of_onnxruntime_are_reported(site: Path) -> None:
    def told() -> list[LibraryProblem]:
        return [problem for problem in check_libraries() if problem.what == "onnxruntime"]

    assert told() == []
    for name in ("onnxruntime", "onnxruntime-gpu"):
        install(site, name)
    (problem,) = told()
    assert "installed on top of each other" in problem.reason
    assert problem.fix == "rm -r .venv && make setup PROFILE=gpu"


OLD_DRIVER = replace(L4, driver="550.54.15", driver_cuda=(12, 4))
ANCIENT_DRIVER = replace(L4, driver="515.43.04", driver_cuda=(11, 7))
VOLTA = replace(L4, name="Tesla V100", compute_capability=(7, 0))


def problems_of(site: Path, gpu: object, cuda: str) -> list[str]:
    """What is told of the driver and the GPU, with a torch built for that CUDA."""
    package(
        site, "torch", version=f"from typing import Optional\n__version__ = '2.13.0'\ncuda: Optional[str] = {cuda}\n"
    )
    return [str(problem) for problem in check_libraries([gpu]) if problem.what in ("driver", "GPU")]  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("gpu", "cuda", "told"),
    [
        (L4, "'13.0'", []),
        (OLD_DRIVER, "None", []),
        (OLD_DRIVER, "'12.8'", []),
        (
            OLD_DRIVER,
            "'13.0'",
            [
                "PyTorch is built for CUDA 13; the NVIDIA 24 GB's driver 550.54.15 supports up to 12.4. "
                "Fix: install NVIDIA driver 580 or later, then reboot"
            ],
        ),
        (
            ANCIENT_DRIVER,
            "None",
            [
                "CTranslate2 is built for CUDA 12; the NVIDIA 24 GB's driver 515.43.04 supports up to 11.7. "
                "Fix: install NVIDIA driver 525 or later, then reboot"
            ],
        ),
        (
            VOLTA,
            "'13.0'",
            [
                "PyTorch is built for CUDA 13, which needs compute capability 7.5; the Tesla V100 has 7.0. "
                "Fix: use a GPU of the Turing generation (2018) or later, or `make run PROFILE=cpu`"
            ],
        ),
    ],
)
def test_drivers_and_gpus_that_are_too_old_are_reported(site: Path, gpu: object, cuda: str, told: list[str]) -> None:
    assert problems_of(site, gpu, cuda) == told


@no_gpu
def test_a_driver_without_its_cuda_library_is_reported_with_what_a_container_needs() -> None:
    assert not [problem for problem in check_libraries() if problem.what == "libcuda.so.1"]
    (problem,) = (problem for problem in check_libraries([L4]) if problem.what == "libcuda.so.1")
    assert "NVIDIA_DRIVER_CAPABILITIES=compute,utility" in problem.fix


def test_packages_are_missing_until_they_are_installed(site: Path) -> None:
    for name in GPU_PACKAGES:
        if name in missing_packages():
            install(site, name)
    assert missing_packages() == ()


@no_gpu
def test_without_a_gpu_an_engine_that_wants_one_is_refused_in_one_sentence() -> None:
    for refuse in (require_gpu, prepare_ctranslate2):
        with pytest.raises(EngineLoadFailed) as refused:
            refuse("Speech recognition")
        assert str(refused.value) == (
            "Speech recognition is set to run on a GPU (device: cuda), but no NVIDIA driver answers. Set its device to cpu, or "
            "see what nvidia-smi says."
        )
