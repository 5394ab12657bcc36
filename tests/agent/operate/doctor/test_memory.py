from pathlib import Path

import psutil
import pytest

from agent.operate.doctor.memory import MemoryFacts, find_memory, judge
from agent.operate.doctor.report import Outcome
from agent.operate.doctor.running import Running

pytestmark = pytest.mark.unit

GIB = 2**30
RUNNING = Running(profile="gpu", ready=True, lines=4, lines_busy=1)


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
    row = judge(facts, needed_bytes=12 * GIB, running=running)
    assert row.outcome is outcome
    assert "12.0 GiB" in row.found


def test_a_containers_limit_counts(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text(f"{GIB}\n")
    (tmp_path / "memory.current").write_text(f"{GIB // 4}\n")
    facts = find_memory(tmp_path)
    assert (facts.total_bytes, facts.limited) == (GIB, True)
    assert facts.available_bytes <= GIB * 3 // 4
    assert "container" in judge(facts, needed_bytes=2 * GIB, running=None).found


@pytest.mark.parametrize("limit", ["max", str(2**60)])
def test_no_limit_is_the_machines_memory(tmp_path: Path, limit: str) -> None:
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    assert find_memory(tmp_path).total_bytes == psutil.virtual_memory().total
