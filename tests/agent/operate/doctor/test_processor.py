from pathlib import Path

import pytest

from agent.operate.doctor.processor import CpuFacts, cores_allowed, find_cpu, judge
from agent.operate.doctor.report import Outcome

pytestmark = pytest.mark.unit

EPYC = CpuFacts(model="AMD EPYC", cores=2, flags=frozenset({"sse4_2", "avx2", "avx512f"}))


def test_instructions_and_cores_are_told() -> None:
    row = judge(EPYC, least_cores=2)
    assert (row.outcome, row.found) == (Outcome.OK, "2 cores, avx2 avx512f (AMD EPYC)")


def test_without_avx2_it_is_slow() -> None:
    row = judge(CpuFacts(model="Xeon E5-2670", cores=8, flags=frozenset({"avx"})), least_cores=2)
    assert row.outcome is Outcome.WARNING
    assert "no AVX2" in row.found


def test_too_few_cores() -> None:
    assert judge(EPYC, least_cores=4).outcome is Outcome.WARNING


def test_the_kernels_description_is_read(tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text(
        "processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: fpu avx2\n\nprocessor\t: 1\nmodel name\t: Other\n"
    )
    facts = find_cpu(info, tmp_path / "none")
    assert (facts.model, facts.flags) == ("Some CPU", frozenset({"fpu", "avx2"}))


def test_a_containers_limit_counts(tmp_path: Path) -> None:
    quota = tmp_path / "cpu.max"
    for written, cores in (("150000 100000", 1), ("400000 100000", 4), ("20000 100000", 1)):
        quota.write_text(f"{written}\n")
        assert cores_allowed(quota) == cores
    quota.write_text("max 100000\n")
    assert cores_allowed(quota) > 1000


def test_this_machine_has_a_cpu() -> None:
    assert find_cpu().cores >= 1
