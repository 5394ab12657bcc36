"""Which set of Python packages `make run` installs."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

SCRIPT = Path(__file__).parents[2] / "scripts" / "packages_for.sh"
LLAMA = "models/store/some-llama/model-00001-of-00004.safetensors"
HAS_DEVICE = any(Path("/dev").glob("nvidia[0-9]*"))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with this script and nothing else."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(SCRIPT, tmp_path / "scripts")
    return tmp_path


def packages(checkout: Path, profile: str = "", *, gpu: bool = False) -> str:
    """What the script prints; `gpu`: on a machine whose nvidia-smi finds one."""
    tools = checkout / "tools"
    tools.mkdir(exist_ok=True)
    nvidia_smi = tools / "nvidia-smi"
    nvidia_smi.write_text(f"#!/bin/sh\nexit {0 if gpu else 9}\n")
    nvidia_smi.chmod(0o755)
    environment = {"PATH": f"{tools}:{os.environ['PATH']}"}
    result = subprocess.run(
        [checkout / "scripts" / "packages_for.sh", profile],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.strip()


def put(checkout: Path, path: str, content: str = "") -> None:
    """A file in the checkout."""
    (checkout / path).parent.mkdir(parents=True, exist_ok=True)
    (checkout / path).write_text(content)


@pytest.mark.skipif(HAS_DEVICE, reason="this machine has an NVIDIA device")
def test_the_gpu_set_needs_a_gpu_and_weights_for_vllm(checkout: Path) -> None:
    assert packages(checkout) == packages(checkout, gpu=True) == "cpu"
    put(checkout, LLAMA)
    assert packages(checkout) == "cpu"
    assert packages(checkout, gpu=True) == "gpu"


def test_the_profile_that_is_asked_for_decides(checkout: Path) -> None:
    put(checkout, LLAMA)
    assert packages(checkout, "gpu") == "gpu"
    assert packages(checkout, "cpu", gpu=True) == packages(checkout, "demo", gpu=True) == "cpu"


@pytest.mark.parametrize("lock", ["gpu", "gpu-dev"])
def test_the_gpu_set_stays_once_it_is_installed(checkout: Path, lock: str) -> None:
    put(checkout, ".venv/.locked", f"{'0' * 64}  requirements/{lock}.txt\n")
    assert packages(checkout) == packages(checkout, "demo") == "gpu"


def test_the_other_sets_do_not_pass_for_it(checkout: Path) -> None:
    put(checkout, ".venv/.locked", f"{'0' * 64}  requirements/vllm-cpu.txt\n")
    assert packages(checkout) == "cpu"
