"""Which GPUs a process can use."""

import inspect
from importlib import import_module
from pathlib import Path

import pytest

from serving.gpu.devices import Gpu, count_cards, list_gpus
from tests.serving.gpu.nvml import Card, Nvml

pytestmark = pytest.mark.unit

A, B, C = (Card(name=f"NVIDIA {letter}", uuid=f"GPU-{letter}1") for letter in "ABC")


def names(nvml: Nvml, visible: str | None = None) -> list[str]:
    """The GPUs' names, in CUDA's order."""
    return [gpu.name for gpu in list_gpus(nvml, visible)]


def test_a_gpu_is_described_as_cuda_will_see_it() -> None:
    nvml = Nvml([Card()])
    assert list_gpus(nvml) == (
        Gpu(
            index=0,
            name="NVIDIA L4",
            total_mib=23_034 - 471,
            free_mib=22_400,
            compute_capability=(8, 9),
            driver="580.95.05",
            driver_cuda=(13, 0),
        ),
    )
    assert nvml.open == 0


def test_older_drivers_are_queried_the_older_way() -> None:
    (gpu,) = list_gpus(Nvml([Card()], cuda=12_040, knows_version_2=False))
    assert gpu.total_mib == 23_034
    assert gpu.driver_cuda == (12, 4)


def test_without_a_driver_there_are_no_gpus() -> None:
    assert list_gpus(Nvml([Card()], has_driver=False)) == ()


def test_a_gpu_that_the_driver_lost_does_not_count_and_the_driver_is_released() -> None:
    nvml = Nvml([Card()], lost=True)
    assert list_gpus(nvml) == ()
    assert nvml.open == 0


@pytest.mark.parametrize(
    ("visible", "found"),
    [
        (None, ["NVIDIA A", "NVIDIA B", "NVIDIA C"]),
        ("", []),
        ("1", ["NVIDIA B"]),
        ("2,0", ["NVIDIA C", "NVIDIA A"]),
        (" 1 , 2 ", ["NVIDIA B", "NVIDIA C"]),
        ("0,7,1", ["NVIDIA A"]),
        ("-1", []),
        ("GPU-C", ["NVIDIA C"]),
        ("GPU-C1,GPU-A1", ["NVIDIA C", "NVIDIA A"]),
        ("NoDevFiles", []),
    ],
)
def test_cuda_visible_devices_is_read_as_cuda_reads_it(visible: str | None, found: list[str]) -> None:
    assert names(Nvml([A, B, C]), visible) == found


def test_numbers_are_those_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,1")
    assert [(gpu.index, gpu.name) for gpu in list_gpus(Nvml([A, B, C]))] == [(0, "NVIDIA C"), (1, "NVIDIA B")]


def sliced() -> Card:
    """A GPU in MIG mode with two slices."""
    first = Card(name="NVIDIA H100 MIG 3g.40gb", uuid="MIG-a", total_mib=40_448, reserved_mib=0, free_mib=40_000)
    second = Card(name="NVIDIA H100 MIG 1g.10gb", uuid="MIG-b", total_mib=9_856, reserved_mib=0, free_mib=9_800)
    return Card(name="NVIDIA H100", uuid="GPU-h", capability=(9, 0), mig=[None, first, second])


@pytest.mark.parametrize(
    ("visible", "found"),
    [
        (None, ["NVIDIA H100 MIG 3g.40gb"]),
        ("0", ["NVIDIA H100 MIG 3g.40gb"]),
        ("MIG-b", ["NVIDIA H100 MIG 1g.10gb"]),
        ("MIG-b,MIG-a", ["NVIDIA H100 MIG 1g.10gb"]),
        ("1,MIG-b", ["NVIDIA A", "NVIDIA H100 MIG 1g.10gb"]),
    ],
)
def test_of_a_partitioned_gpu_one_slice_is_used(visible: str | None, found: list[str]) -> None:
    assert names(Nvml([sliced(), A]), visible) == found


def test_a_slice_has_its_own_memory_and_its_gpus_capability() -> None:
    (gpu,) = list_gpus(Nvml([sliced()]), "MIG-b")
    assert (gpu.total_mib, gpu.free_mib, gpu.compute_capability) == (9_856, 9_800, (9, 0))


def test_a_partitioned_gpu_without_slices_is_none() -> None:
    assert names(Nvml([Card(mig=[None])])) == []


def test_the_scripted_driver_has_the_functions_of_the_real_library() -> None:
    pynvml = import_module("pynvml")
    for name, function in inspect.getmembers(Nvml, inspect.isfunction):
        if name.startswith("nvml"):
            real = inspect.signature(getattr(pynvml, name))
            assert len(real.parameters) == len(inspect.signature(function).parameters) - 1, name
    assert pynvml.nvmlMemory_v2
    assert issubclass(pynvml.NVMLError, Exception)


def test_the_real_library_is_asked() -> None:
    assert all(gpu.total_mib > 0 for gpu in list_gpus())


def test_cards_are_counted_on_the_bus_without_their_audio_and_other_vendors(tmp_path: Path) -> None:
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
