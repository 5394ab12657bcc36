"""Whether the profile fits a GPU, on cards that are not here, with the plan's own arithmetic."""

from dataclasses import replace

import pytest

from agent.operate.doctor.gpu_memory import check, judge, refused
from agent.operate.doctor.installation import CannotExamine
from agent.operate.doctor.report import Outcome
from agent.operate.doctor.running import Running
from agent.operate.gpu_plan import plan_for
from agent.settings import EngineChoice, EngineChoices, Settings
from models.store import open_store
from serving.gpu.devices import list_gpus
from serving.gpu.memory import GpuMemoryShort
from tests.agent.operate.doctor.conftest import Install
from tests.agent.operate.doctor.test_gpu import L4

pytestmark = pytest.mark.unit

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
    row = judge(plan_for(gpu_settings, open_store(), (A100,)))
    assert row.outcome is Outcome.OK
    assert "whisper-large-v3-turbo" in row.found
    assert "KV cache" in row.found
    assert "MiB left of GPU 0" in row.found
    assert "piper" not in row.found, "what is on the CPU takes nothing of the GPU"


def test_8b_in_16_bits_does_not_fit_a_16_gb_card(gpu_settings: Settings) -> None:
    with pytest.raises(GpuMemoryShort) as short:
        plan_for(gpu_settings, open_store(), (A4000,))
    row = refused(short.value)
    assert row.outcome is Outcome.FAILED
    assert "MiB" in row.found
    assert "15,900" in row.found
    assert row.fix


def test_the_demo_puts_nothing_on_a_gpu(install: Install) -> None:
    with pytest.raises(CannotExamine, match="puts nothing on a GPU"):
        list(check(install()))


def test_a_running_callbox_has_its_share_already(install: Install, gpu_settings: Settings) -> None:
    running = Running(profile="gpu", ready=True, lines=4, lines_busy=0)
    with pytest.raises(CannotExamine, match="Callbox is running"):
        list(check(install(profile="gpu", known_settings=gpu_settings, running=running)))


def test_without_a_gpu_there_is_nothing_to_fit_into(install: Install, gpu_settings: Settings) -> None:
    if list_gpus():
        pytest.skip("this machine has a GPU")
    with pytest.raises(CannotExamine, match="no GPU answers"):
        list(check(install(profile="gpu", known_settings=gpu_settings)))
