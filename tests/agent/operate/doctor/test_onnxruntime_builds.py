"""One build of onnxruntime, whole: real distributions on disk, made by the test."""

from pathlib import Path

import pytest

from agent.operate.doctor.onnxruntime_builds import Build, find_builds, judge
from agent.operate.doctor.report import Outcome

pytestmark = pytest.mark.unit

CPU = Build(name="onnxruntime", version="1.32.0", files=300, damaged=0)
GPU = Build(name="onnxruntime-gpu", version="1.27.0", files=310, damaged=0)


def _install(site: Path, name: str, content: bytes) -> None:
    """As pip does it: files, and a RECORD of their sizes."""
    package = site / "onnxruntime"
    package.mkdir(parents=True, exist_ok=True)
    (package / "capi.so").write_bytes(content)
    info = site / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "RECORD").write_text(f"onnxruntime/capi.so,,{len(content)}\n{info.name}/METADATA,,\n")


def test_one_build_is_fine() -> None:
    assert judge((CPU,), profile="demo").outcome is Outcome.OK


def test_two_are_named_and_made_anew() -> None:
    row = judge((CPU, GPU), profile="gpu")
    assert row.outcome is Outcome.FAILED
    assert row.found == "onnxruntime 1.32.0 and onnxruntime-gpu 1.27.0 are installed over each other"
    assert "rm -rf .venv && make setup PROFILE=gpu" in row.fix


def test_none_is_a_failure() -> None:
    assert judge((), profile="demo").outcome is Outcome.FAILED


def test_two_on_disk_are_found_and_the_first_ones_files_are_not_its_own(tmp_path: Path) -> None:
    _install(tmp_path, "onnxruntime", b"for the CPU")
    assert [build.damaged for build in find_builds([str(tmp_path)])] == [0]
    _install(tmp_path, "onnxruntime_gpu", b"for the GPU, longer")
    builds = {build.name: build for build in find_builds([str(tmp_path)])}
    assert set(builds) == {"onnxruntime", "onnxruntime-gpu"}
    assert (builds["onnxruntime"].damaged, builds["onnxruntime-gpu"].damaged) == (1, 0)


def test_the_one_that_is_left_when_the_other_took_its_files_along_is_not_whole(tmp_path: Path) -> None:
    _install(tmp_path, "onnxruntime", b"for the CPU")
    (tmp_path / "onnxruntime" / "capi.so").unlink()
    row = judge(find_builds([str(tmp_path)]), profile="demo")
    assert row.outcome is Outcome.FAILED
    assert "1 of 2 files" in row.found


def test_this_environment_has_one_whole_build() -> None:
    assert judge(find_builds(), profile="demo").outcome is Outcome.OK
