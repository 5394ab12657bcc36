"""Python and its packages: judged with facts about other machines, read from this environment and from packages on disk."""

import hashlib
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from agent.operate.doctor.packages import (
    Build,
    PackageFacts,
    differences,
    find_builds,
    find_packages,
    judge_builds,
    judge_packages,
    judge_python,
    pins_of,
)
from agent.operate.doctor.report import Outcome
from agent.settings import PROFILES

pytestmark = pytest.mark.unit

REQUIREMENTS = PROFILES.parent.parent / "requirements"
GLIBC = ("glibc", "2.36")
WHOLE = PackageFacts(marked="gpu", lock="gpu", pinned=200)


@pytest.mark.parametrize(
    ("found", "machine", "outcome"),
    [
        ((3, 11, 2), "x86_64", Outcome.OK),
        ((3, 12, 9), "x86_64", Outcome.OK),
        ((3, 10, 1), "x86_64", Outcome.FAILED),
        ((3, 13, 0), "x86_64", Outcome.FAILED),
        ((3, 11, 2), "aarch64", Outcome.FAILED),
    ],
)
def test_the_pythons_that_the_locks_are_made_for(found: tuple[int, ...], machine: str, outcome: Outcome) -> None:
    assert judge_python(found, machine, GLIBC).outcome is outcome


def test_the_gpu_profile_needs_the_gpu_lock() -> None:
    assert judge_packages(WHOLE, gpu=True, profile="gpu").outcome is Outcome.OK
    row = judge_packages(PackageFacts(marked="cpu", lock="cpu", pinned=100), gpu=True, profile="gpu")
    assert row.outcome is Outcome.FAILED
    assert row.fix == "`make setup PROFILE=gpu`"


@pytest.mark.parametrize("lock", ["cpu", "dev", "gpu", "gpu-dev", "vllm-cpu"])
def test_other_profiles_run_on_every_lock(lock: str) -> None:
    facts = PackageFacts(marked=lock, lock=lock, pinned=100)
    assert judge_packages(facts, gpu=False, profile="demo").outcome is Outcome.OK


def test_what_training_needs_does_not_run_calls() -> None:
    facts = PackageFacts(marked="train", lock="train", pinned=100)
    assert judge_packages(facts, gpu=False, profile="demo").outcome is Outcome.FAILED


def test_differences_are_named_the_first_few() -> None:
    names = tuple(f"p{number} is missing" for number in range(6))
    row = judge_packages(
        PackageFacts(marked="cpu", lock="cpu", pinned=90, differences=names), gpu=False, profile="demo"
    )
    assert row.outcome is Outcome.FAILED
    assert row.found == (
        "6 of the 90 packages of requirements/cpu.txt differ: "
        "p0 is missing, p1 is missing, p2 is missing, p3 is missing and 2 more"
    )


def test_an_older_lock_with_the_same_packages_is_a_warning() -> None:
    facts = PackageFacts(marked="cpu", lock="cpu", pinned=90, lock_changed=True)
    assert judge_packages(facts, gpu=False, profile="demo").outcome is Outcome.WARNING


def test_another_version_and_a_missing_package() -> None:
    pins = {"numpy": "2.1", "rich": "15.0", "typer": "0.20"}
    assert differences(pins, {"numpy": "2.0", "typer": "0.20", "more": "1"}) == (
        "numpy 2.0 instead of 2.1",
        "rich is missing",
    )


def test_pins_for_other_machines_do_not_count() -> None:
    lock = (
        "here==1.0 ; sys_platform == 'linux' \\\n    --hash=sha256:0\n"
        "there==1.0 ; sys_platform == 'win32' \\\n    --hash=sha256:0\n"
        "Plain_Name==2.0 \\\n    --hash=sha256:0\n"
    )
    assert pins_of(lock) == {"here": "1.0", "plain-name": "2.0"}


def test_every_lock_can_be_read() -> None:
    for lock in REQUIREMENTS.glob("*.txt"):
        assert pins_of(lock.read_text())


def test_this_environment_is_as_its_lock_says() -> None:
    facts = find_packages(REQUIREMENTS, Path(sys.prefix), gpu=False)
    assert facts.differences == ()
    assert facts.pinned > 50


def _environment(tmp_path: Path, lock: str, *, digest: str | None = None) -> Path:
    (tmp_path / "cpu.txt").write_text(lock)
    digest = digest or hashlib.sha256(lock.encode()).hexdigest()
    (tmp_path / ".locked").write_text(f"{digest}  requirements/cpu.txt\n")
    return tmp_path


def test_what_is_installed_is_compared_with_the_lock_that_the_environment_names(tmp_path: Path) -> None:
    lock = f"psutil=={version('psutil')} \\\n    --hash=sha256:0\nrich==0.1 \\\n    --hash=sha256:0\n"
    facts = find_packages(tmp_path, _environment(tmp_path, lock), gpu=True)
    assert (facts.marked, facts.pinned, facts.lock_changed) == ("cpu", 2, False)
    assert facts.differences == (f"rich {version('rich')} instead of 0.1",)


def test_a_lock_that_has_changed_since_is_noticed(tmp_path: Path) -> None:
    lock = f"psutil=={version('psutil')} \\\n    --hash=sha256:0\n"
    assert find_packages(tmp_path, _environment(tmp_path, lock, digest="0" * 64), gpu=False).lock_changed


def test_an_environment_that_says_nothing_is_compared_with_the_profiles_lock(tmp_path: Path) -> None:
    (tmp_path / "gpu.txt").write_text("no-such-package==1.0 \\\n    --hash=sha256:0\n")
    facts = find_packages(tmp_path, tmp_path / "none", gpu=True)
    assert (facts.marked, facts.lock, facts.differences) == (None, "gpu", ("no-such-package is missing",))


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
    assert judge_builds((CPU,), profile="demo").outcome is Outcome.OK


def test_two_are_named_and_the_fix_is_a_new_environment() -> None:
    row = judge_builds((CPU, GPU), profile="gpu")
    assert row.outcome is Outcome.FAILED
    assert row.found == "onnxruntime 1.32.0 and onnxruntime-gpu 1.27.0 are installed on top of each other"
    assert "rm -rf .venv && make setup PROFILE=gpu" in row.fix


def test_none_is_a_failure() -> None:
    assert judge_builds((), profile="demo").outcome is Outcome.FAILED


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
    row = judge_builds(find_builds([str(tmp_path)]), profile="demo")
    assert row.outcome is Outcome.FAILED
    assert "1 of 2 files" in row.found


def test_this_environment_has_one_intact_build() -> None:
    assert judge_builds(find_builds(), profile="demo").outcome is Outcome.OK
