"""GPU, driver and memory: judged with facts about machines that are not here."""

from dataclasses import replace

import pytest

from agent.operate.doctor.gpu import (
    GpuFacts,
    check_memory,
    find_gpus,
    judge_gpu,
    judge_memory,
    refuse_memory,
)
from agent.operate.doctor.installation import CannotExamine, Running
from agent.operate.doctor.report import Outcome
from agent.operate.gpu_plan import plan_for
from agent.settings import EngineChoice, EngineChoices, Settings
from models.store import open_store
from serving.gpu.devices import Gpu, list_gpus
from serving.gpu.memory import GpuMemoryShort
from tests.agent.operate.doctor.conftest import Install

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
    row = judge_gpu(_with(L4), needed=True, profile="gpu")
    assert row.outcome is Outcome.OK
    assert row.found == "NVIDIA L4, 23,034 MiB, compute capability 8.9; driver 580.95.05, CUDA 13.0"


def test_driver_535_is_too_old_for_cuda_13() -> None:
    old = _with(replace(L4, driver="535.183.01", driver_cuda=(12, 2)))
    row = judge_gpu(old, needed=True, profile="gpu")
    assert row.outcome is Outcome.FAILED
    assert "driver 535.183.01, CUDA 12.2" in row.found
    assert "needs driver 580 or later" in row.found
    assert "nvidia-driver-580" in row.fix


def test_an_old_driver_is_no_matter_to_a_profile_that_computes_on_the_cpu() -> None:
    old = _with(replace(L4, driver="535.183.01", driver_cuda=(12, 2)))
    assert judge_gpu(old, needed=False, profile="demo").outcome is Outcome.OK


@pytest.mark.parametrize(("name", "capability"), [("Tesla V100", (7, 0)), ("Tesla T4", (7, 5))])
def test_a_card_before_ampere_is_too_old_whatever_its_driver(name: str, capability: tuple[int, int]) -> None:
    row = judge_gpu(_with(replace(L4, name=name, compute_capability=capability)), needed=True, profile="gpu")
    assert row.outcome is Outcome.FAILED
    assert "needs compute capability 8.0" in row.found


@pytest.mark.parametrize(
    ("facts", "needed", "outcome", "says"),
    [
        (NONE, False, Outcome.SKIPPED, "needs none"),
        (NONE, True, Outcome.FAILED, "no NVIDIA GPU found"),
        (replace(NONE, cards=1), True, Outcome.FAILED, "no driver is loaded"),
        (replace(NONE, cards=1), False, Outcome.WARNING, "no driver is loaded"),
        (replace(NONE, cards=2, module_loaded=True), True, Outcome.FAILED, "this process cannot use them"),
    ],
)
def test_without_a_gpu_the_cause_is_given(facts: GpuFacts, needed: bool, outcome: Outcome, says: str) -> None:
    row = judge_gpu(facts, needed=needed, profile="gpu" if needed else "demo")
    assert row.outcome is outcome
    assert says in row.found


def test_looking_for_gpus_fails_on_no_machine() -> None:
    facts = find_gpus()
    assert facts.gpus or judge_gpu(facts, needed=True, profile="gpu").outcome is Outcome.FAILED


A4000 = replace(L4, name="NVIDIA RTX A4000", total_mib=15_900, free_mib=15_600, compute_capability=(8, 6))
A100 = replace(L4, name="NVIDIA A100", total_mib=81_000, free_mib=80_500, compute_capability=(8, 0))


@pytest.fixture
def gpu_settings(settings: Settings) -> Settings:
    """Whisper large-v3-turbo and Llama 3.1 8B on one GPU."""
    engines = EngineChoices(
        stt=EngineChoice(
            engine="faster-whisper",
            model="whisper-large-v3-turbo",
            options={"device": "cuda", "compute_type": "float16"},
        ),
        llm=EngineChoice(engine="vllm", model="llama-3.1-8b-instruct"),
        tts=EngineChoice(engine="piper", model="piper-lessac-medium"),
    )
    return settings.model_copy(update={"profile": "gpu", "engines": engines})


def test_what_fits_is_listed_in_mib(gpu_settings: Settings) -> None:
    row = judge_memory(plan_for(gpu_settings, open_store(), (A100,)))
    assert row.outcome is Outcome.OK
    assert "whisper-large-v3-turbo" in row.found
    assert "KV cache" in row.found
    assert "MiB left on GPU 0" in row.found
    assert "piper" not in row.found, "what is on the CPU takes nothing of the GPU"


def test_8b_in_16_bits_does_not_fit_a_16_gb_card(gpu_settings: Settings) -> None:
    with pytest.raises(GpuMemoryShort) as short:
        plan_for(gpu_settings, open_store(), (A4000,))
    row = refuse_memory(short.value)
    assert row.outcome is Outcome.FAILED
    assert "MiB" in row.found
    assert "15,900" in row.found
    assert row.fix


def test_the_demo_puts_nothing_on_a_gpu(install: Install) -> None:
    with pytest.raises(CannotExamine, match="uses no GPU"):
        list(check_memory(install()))


def test_a_running_callbox_has_its_share_already(install: Install, gpu_settings: Settings) -> None:
    running = Running(profile="gpu", ready=True, lines=4, lines_busy=0)
    with pytest.raises(CannotExamine, match="Callbox is running"):
        list(check_memory(install(profile="gpu", known_settings=gpu_settings, running=running)))


def test_without_a_gpu_there_is_nothing_to_fit_into(install: Install, gpu_settings: Settings) -> None:
    if list_gpus():
        pytest.skip("this machine has a GPU")
    with pytest.raises(CannotExamine, match="no GPU answers"):
        list(check_memory(install(profile="gpu", known_settings=gpu_settings)))
