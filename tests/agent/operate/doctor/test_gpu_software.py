from pathlib import Path

import pytest

from agent.operate.doctor.gpu_software import (
    CompilerFacts,
    check_compiler,
    check_cuda_libraries,
    find_compiler,
    judge_compiler,
    judge_libraries,
)
from agent.operate.doctor.report import Outcome
from serving.gpu.libraries import LibraryProblem
from tests.agent.operate.doctor.conftest import Install

pytestmark = pytest.mark.unit

CUBLAS = LibraryProblem("libcublas.so.12", "CTranslate2 needs libcublas.so.12, and it cannot be loaded.", "install it")


def test_a_clash_is_reported_with_its_fix() -> None:
    row = judge_libraries((), (CUBLAS,))
    assert (row.outcome, row.found, row.fix) == (Outcome.FAILED, CUBLAS.reason, "install it")


def test_missing_packages_come_first() -> None:
    row = judge_libraries(("vllm",), (CUBLAS,))
    assert (row.found, row.fix) == ("not installed: vllm", "`make setup PROFILE=gpu`")


def test_what_has_its_own_row_is_not_reported_twice() -> None:
    driver = LibraryProblem("driver", "PyTorch is built for CUDA 13, and driver 535 runs 12.2.", "another driver")
    assert judge_libraries((), (driver,)).outcome is Outcome.OK


def test_the_demo_has_none(install: Install) -> None:
    (row,) = check_cuda_libraries(install())
    assert row.outcome is Outcome.SKIPPED


def test_for_the_gpu_profile_in_a_cpu_environment_missing_packages_are_named(install: Install) -> None:
    (row,) = check_cuda_libraries(install(profile="gpu"))
    assert row.outcome is Outcome.OK or row.fix


def test_both_are_needed() -> None:
    assert judge_compiler(CompilerFacts("gcc", header=True)).outcome is Outcome.OK
    assert "gcc" in judge_compiler(CompilerFacts("", header=True)).fix
    assert "python3-dev" in judge_compiler(CompilerFacts("gcc", header=False)).fix


def test_only_the_gpu_profile_compiles(install: Install) -> None:
    (row,) = check_compiler(install())
    assert row.outcome is Outcome.SKIPPED
    (row,) = check_compiler(install(profile="gpu"))
    assert row.outcome is not Outcome.SKIPPED


def _program(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_compiler_is_searched_where_triton_searches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_compiler().compiler == ""
    clang = _program(tmp_path, "clang")
    assert find_compiler().compiler == str(clang)
    gcc = _program(tmp_path, "gcc")
    assert find_compiler().compiler == str(gcc)
    monkeypatch.setenv("CC", str(clang))
    assert find_compiler().compiler == str(clang)
