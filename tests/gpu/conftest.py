"""Tests that need a GPU, with the models that the repository ships: no network, no download."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from agent.operate.doctor.gpu_software import find_compiler
from serving.llm.vllm import VllmLlm
from serving.llm.vllm_options import CPU_BLOCK_TOKENS, VllmOptions
from tests.contract.llm_suite import LANGUAGE_MODEL
from tests.gpu.device import DEVICE, HAS_GPU, lacking

GPU_BLOCK_TOKENS = 16
"""vLLM's default on a GPU."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip everything, with the reason, where there is no GPU. Warnings from vLLM's threads are not errors (tests/vllm)."""
    reason = lacking()
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("default"))
            if reason:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def options() -> VllmOptions:
    """The gpu profile's options, but small. Compiled, with CUDA graphs, if there is a compiler."""
    facts = find_compiler()
    return VllmOptions(
        device=DEVICE,
        max_calls=4,
        context_tokens=2048,
        max_kv_mib=96,
        enforce_eager=not (facts.compiler and facts.header),
    )


@pytest.fixture(scope="session")
def block_tokens() -> int:
    """The size of the blocks that vLLM's prefix cache shares."""
    return GPU_BLOCK_TOKENS if HAS_GPU else CPU_BLOCK_TOKENS


@pytest.fixture(scope="session")
def installed_vllm() -> None:
    """Skip where the suite is tried on the CPU in an environment without vLLM."""
    if find_spec("vllm") is None:
        pytest.skip("vLLM is not installed in this environment")


@pytest.fixture(scope="session")
def vllm_engine(installed_vllm: None, options: VllmOptions) -> Iterator[VllmLlm]:
    """The engine of all tests, loaded and warm."""
    engine = VllmLlm(options, LANGUAGE_MODEL / "hf")
    engine.load()
    engine.warm_up()
    yield engine
    engine.close()


@pytest.fixture
def shared(vllm_engine: VllmLlm) -> VllmLlm:
    """The same engine, under the name that the contract suite uses."""
    return vllm_engine
