"""GPU and driver: judged with facts of machines that are not here."""

from dataclasses import replace
from pathlib import Path

import pytest

from agent.operate.doctor.gpu import GpuFacts, count_cards, find_gpus, judge
from agent.operate.doctor.report import Outcome
from serving.gpu.devices import Gpu

pytestmark = pytest.mark.unit

L4 = Gpu(
    index=0,
    name="NVIDIA L4",
    total_mib=23034,
    free_mib=22500,
    compute_capability=(8, 9),
    driver="580.95.05",
    driver_cuda=(13, 0),
)
NONE = GpuFacts(gpus=(), cards=0, module_loaded=False)


def _with(gpu: Gpu) -> GpuFacts:
    return GpuFacts(gpus=(gpu,), cards=1, module_loaded=True)


def test_a_new_driver_and_its_figures() -> None:
    row = judge(_with(L4), needed=True, profile="gpu")
    assert row.outcome is Outcome.OK
    assert row.found == "NVIDIA L4, 23,034 MiB, compute capability 8.9; driver 580.95.05, CUDA 13.0"


def test_driver_535_is_too_old_for_cuda_13() -> None:
    old = _with(replace(L4, driver="535.183.01", driver_cuda=(12, 2)))
    row = judge(old, needed=True, profile="gpu")
    assert row.outcome is Outcome.FAILED
    assert "driver 535.183.01, CUDA 12.2" in row.found
    assert "needs driver 580 or later" in row.found
    assert "nvidia-driver-580" in row.fix


def test_an_old_driver_is_no_matter_to_a_profile_that_computes_on_the_cpu() -> None:
    old = _with(replace(L4, driver="535.183.01", driver_cuda=(12, 2)))
    assert judge(old, needed=False, profile="demo").outcome is Outcome.OK


@pytest.mark.parametrize(("name", "capability"), [("Tesla V100", (7, 0)), ("Tesla T4", (7, 5))])
def test_a_card_before_ampere_is_too_old_whatever_its_driver(name: str, capability: tuple[int, int]) -> None:
    row = judge(_with(replace(L4, name=name, compute_capability=capability)), needed=True, profile="gpu")
    assert row.outcome is Outcome.FAILED
    assert "needs compute capability 8.0" in row.found


@pytest.mark.parametrize(
    ("facts", "needed", "outcome", "says"),
    [
        (NONE, False, Outcome.SKIPPED, "needs none"),
        (NONE, True, Outcome.FAILED, "none in this machine"),
        (replace(NONE, cards=1), True, Outcome.FAILED, "no driver is loaded"),
        (replace(NONE, cards=1), False, Outcome.WARNING, "no driver is loaded"),
        (replace(NONE, cards=2, module_loaded=True), True, Outcome.FAILED, "none may be used by this process"),
    ],
)
def test_without_one_it_says_what_keeps_it_away(facts: GpuFacts, needed: bool, outcome: Outcome, says: str) -> None:
    row = judge(facts, needed=needed, profile="gpu" if needed else "demo")
    assert row.outcome is outcome
    assert says in row.found


def test_cards_are_counted_on_the_bus_without_their_sound_and_those_of_others(tmp_path: Path) -> None:
    devices = {
        "vga": ("0x10de", "0x030000"),
        "compute": ("0x10de", "0x030200"),
        "sound": ("0x10de", "0x040300"),
        "intel": ("0x8086", "0x030000"),
    }
    for name, (vendor, kind) in devices.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "vendor").write_text(f"{vendor}\n")
        (tmp_path / name / "class").write_text(f"{kind}\n")
    assert count_cards(tmp_path) == 2


def test_looking_does_not_fail_on_any_machine() -> None:
    facts = find_gpus()
    assert facts.gpus or judge(facts, needed=True, profile="gpu").outcome is Outcome.FAILED
