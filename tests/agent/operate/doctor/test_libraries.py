import pytest

from agent.operate.doctor.libraries import check, judge
from agent.operate.doctor.report import Outcome
from serving.gpu.libraries import LibraryProblem
from tests.agent.operate.doctor.conftest import Install

pytestmark = pytest.mark.unit

CUBLAS = LibraryProblem("libcublas.so.12", "CTranslate2 needs libcublas.so.12, and it cannot be loaded.", "install it")


def test_the_clash_is_told_with_its_fix() -> None:
    row = judge((), (CUBLAS,))
    assert (row.outcome, row.found, row.fix) == (Outcome.FAILED, CUBLAS.reason, "install it")


def test_missing_packages_come_first() -> None:
    row = judge(("vllm",), (CUBLAS,))
    assert (row.found, row.fix) == ("not installed: vllm", "`make setup PROFILE=gpu`")


def test_what_has_a_row_of_its_own_is_not_told_twice() -> None:
    driver = LibraryProblem("driver", "PyTorch is built for CUDA 13, and driver 535 runs 12.2.", "another driver")
    assert judge((), (driver,)).outcome is Outcome.OK


def test_the_demo_has_none(install: Install) -> None:
    (row,) = check(install())
    assert row.outcome is Outcome.SKIPPED


def test_a_gpu_profile_in_an_environment_for_the_cpu_is_told_what_is_missing(install: Install) -> None:
    (row,) = check(install(profile="gpu"))
    assert row.outcome is Outcome.OK or row.fix
