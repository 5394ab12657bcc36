"""The GPU memory that the plan reserves, against what the driver says is taken (NVML)."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.bench.gpu.stt import TURBO
from scripts.bench.gpu.whisper_shape import write_whisper
from serving.gpu.devices import MIB
from serving.gpu.memory import GpuMemoryShort
from serving.llm.vllm import VllmLlm
from serving.llm.vllm_options import VllmOptions
from tests.contract.llm_suite import LANGUAGE_MODEL
from tests.gpu.device import HAS_GPU, free_mib
from tests.gpu.measured_load import Measured, settings_with

pytestmark = pytest.mark.gpu

needs_gpu = pytest.mark.skipif(not HAS_GPU, reason="there is no GPU memory to measure")

LOAD_S = 300.0
LARGEST_EXCESS_MIB = 1024
"""The most that an estimate may exceed what is taken: whatever it reserves in vain costs calls."""
LEFT_MIB = 1000
"""What the other program leaves: less than CUDA, weights and a KV cache take."""

TAKE = """
import sys, torch
held = torch.empty(int(sys.argv[1]), dtype=torch.uint8, device="cuda")
torch.cuda.synchronize()
print("taken", flush=True)
sys.stdin.read()
"""


def measured(*what: str) -> Measured:
    """The memory that an engine takes, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.gpu.measured_load", *what], stdout=subprocess.PIPE, timeout=LOAD_S, check=True
    )
    return Measured(**json.loads(done.stdout.decode().splitlines()[-1]))


@contextmanager
def another_program(mib: int) -> Iterator[None]:
    """Run another program that holds this much of the GPU's memory."""
    command = [sys.executable, "-c", TAKE, str(mib * MIB)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        try:
            assert other.stdout.readline() == b"taken\n"
            yield
        finally:
            other.kill()


def freed(wanted_mib: int, *, within_s: float = 20.0) -> bool:
    """Whether this much becomes free in time: the driver frees memory some time after its process has ended."""
    deadline_s = time.monotonic() + within_s
    while free_mib() < wanted_mib and time.monotonic() < deadline_s:
        time.sleep(0.1)
    return free_mib() >= wanted_mib


@pytest.fixture(scope="module")
def turbo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Whisper of large-v3-turbo's shape with random weights."""
    return write_whisper(TURBO, tmp_path_factory.mktemp("turbo"))


def check(what: Sequence[str]) -> None:
    """Assert that an engine takes no more than planned, and not much less."""
    before_mib = free_mib()
    found = measured(*what)
    print(f"{' '.join(what)}: {found}")
    assert found.loaded > 0
    assert found.worked <= found.planned
    assert found.planned - found.worked <= LARGEST_EXCESS_MIB
    assert freed(before_mib - 64)


@needs_gpu
@pytest.mark.parametrize("compute_type", ["float16", "int8_float16"])
def test_the_gpu_profiles_whisper_takes_what_is_planned(turbo: Path, compute_type: str) -> None:
    check(("turbo", compute_type, str(turbo)))


@needs_gpu
@pytest.mark.parametrize("kind", ["stt", "tts", "turn", "llm"])
def test_a_demo_engine_takes_what_is_planned(kind: str) -> None:
    check((kind, "float16"))


@needs_gpu
def test_a_gpu_that_another_program_has_filled_is_refused_with_figures(options: VllmOptions) -> None:
    before_mib = free_mib()
    with another_program(before_mib - LEFT_MIB - 500):  # its own CUDA context takes some as well
        engine = VllmLlm(replace(options, max_kv_mib=None), LANGUAGE_MODEL / "hf")
        with pytest.raises(GpuMemoryShort, match=r"MiB short: the language model needs .* whatever runs now"):
            engine.load()
    assert freed(before_mib - 64)


@pytest.mark.parametrize("kind", ["stt", "tts", "turn", "llm"])
def test_the_plan_is_asked_for_one_engine_on_the_gpu(kind: str) -> None:
    """The plan that the tests above compare with. Needs no GPU."""
    from agent.operate.gpu_plan import plan_for
    from models.store import open_store
    from tests.serving.gpu.cards import card

    plan = plan_for(settings_with(kind, "default"), open_store(), [card(24)])
    placed = [placement for placement in plan.placements if placement.mib]
    assert placed
    assert all(placement.what.startswith(kind) for placement in placed)
