from pathlib import Path

import psutil
import pytest

from agent.operate.doctor.hardware import (
    CpuFacts,
    MemoryFacts,
    find_cpu,
    find_memory,
    judge_cpu,
    judge_memory,
)
from agent.operate.doctor.installation import Running
from agent.operate.doctor.report import Outcome

pytestmark = pytest.mark.unit

GIB = 2**30
RUNNING = Running(profile="gpu", ready=True, lines=4, lines_busy=1)
EPYC = CpuFacts(model="AMD EPYC", cores=2, flags=frozenset({"sse4_2", "avx2", "avx512f"}))


def test_instructions_and_cores_are_listed() -> None:
    row = judge_cpu(EPYC, min_cores=2)
    assert (row.outcome, row.found) == (Outcome.OK, "2 cores, avx2 avx512f (AMD EPYC)")


def test_without_avx2_it_is_slow() -> None:
    row = judge_cpu(CpuFacts(model="Xeon E5-2670", cores=8, flags=frozenset({"avx"})), min_cores=2)
    assert row.outcome is Outcome.WARNING
    assert "no AVX2" in row.found


def test_too_few_cores() -> None:
    assert judge_cpu(EPYC, min_cores=4).outcome is Outcome.WARNING


def test_the_kernels_description_is_read(tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text(
        "processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: fpu avx2\n\nprocessor\t: 1\nmodel name\t: Other\n"
    )
    facts = find_cpu(info, tmp_path / "none")
    assert (facts.model, facts.flags) == ("Some CPU", frozenset({"fpu", "avx2"}))


def test_a_containers_share_of_the_cores_counts(tmp_path: Path) -> None:
    here = find_cpu(cgroup=tmp_path).cores
    for limits, cores in (
        ("150000 100000", 1),
        ("900000 100000", min(here, 9)),
        ("20000 100000", 1),
        ("max 100000", here),
    ):
        (tmp_path / "cpu.max").write_text(f"{limits}\n")
        assert find_cpu(cgroup=tmp_path).cores == cores


def test_this_machine_has_a_cpu() -> None:
    assert find_cpu().cores >= 1


def _facts(total_gib: float, available_gib: float) -> MemoryFacts:
    return MemoryFacts(total_bytes=int(total_gib * GIB), available_bytes=int(available_gib * GIB))


@pytest.mark.parametrize(
    ("facts", "running", "outcome"),
    [
        (_facts(16, 14), None, Outcome.OK),
        (_facts(8, 7), None, Outcome.FAILED),
        (_facts(16, 3), None, Outcome.WARNING),
        (_facts(16, 3), RUNNING, Outcome.OK),
        (_facts(11.6, 11.5), None, Outcome.WARNING),
    ],
)
def test_installed_and_free_memory_against_12_gib(
    facts: MemoryFacts, running: Running | None, outcome: Outcome
) -> None:
    row = judge_memory(facts, needed_bytes=12 * GIB, running=running)
    assert row.outcome is outcome
    assert "12.0 GiB" in row.found


def test_a_containers_limit_counts(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text(f"{GIB}\n")
    (tmp_path / "memory.current").write_text(f"{GIB // 4}\n")
    facts = find_memory(tmp_path)
    assert (facts.total_bytes, facts.limited) == (GIB, True)
    assert facts.available_bytes <= GIB * 3 // 4
    assert "container" in judge_memory(facts, needed_bytes=2 * GIB, running=None).found


@pytest.mark.parametrize("limit", ["max", str(2**60)])
def test_no_limit_is_the_machines_memory(tmp_path: Path, limit: str) -> None:
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    assert find_memory(tmp_path).total_bytes == psutil.virtual_memory().total
