from pathlib import Path

import pytest

from agent.operate.doctor.compiler import CompilerFacts, check, find_compiler, judge
from agent.operate.doctor.report import Outcome
from tests.agent.operate.doctor.conftest import Install

pytestmark = pytest.mark.unit


def test_both_are_needed() -> None:
    assert judge(CompilerFacts("gcc", header=True)).outcome is Outcome.OK
    assert "gcc" in judge(CompilerFacts("", header=True)).fix
    assert "python3-dev" in judge(CompilerFacts("gcc", header=False)).fix


def test_only_the_gpu_profile_compiles(install: Install) -> None:
    (row,) = check(install())
    assert row.outcome is Outcome.SKIPPED
    (row,) = check(install(profile="gpu"))
    assert row.outcome is not Outcome.SKIPPED


def _program(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_it_is_looked_for_where_triton_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_compiler().compiler == ""
    clang = _program(tmp_path, "clang")
    assert find_compiler().compiler == str(clang)
    gcc = _program(tmp_path, "gcc")
    assert find_compiler().compiler == str(gcc)
    monkeypatch.setenv("CC", str(clang))
    assert find_compiler().compiler == str(clang)
