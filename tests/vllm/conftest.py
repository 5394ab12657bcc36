"""vLLM itself, on the CPU, with the demo Llama: one engine for all tests, since starting it takes a minute."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.llm.vllm import VllmLlm
from serving.llm.vllm_options import CPU_BLOCK_TOKENS, VllmOptions
from tests.contract.llm_suite import LANGUAGE_MODEL

OPTIONS = VllmOptions(max_calls=4, context_tokens=2048, max_kv_mib=96)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """vLLM warns while it is imported, in its own threads, where a warning must not become an error."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.vllm)
            item.add_marker(pytest.mark.flaky(reruns=1))  # real time, on machines that others keep busy
            item.add_marker(pytest.mark.filterwarnings("default"))


@pytest.fixture(scope="session")
def options() -> VllmOptions:
    """The options of the engine of all tests."""
    return OPTIONS


@pytest.fixture(scope="session")
def block_tokens() -> int:
    """The size of the blocks that the prefix cache shares."""
    return CPU_BLOCK_TOKENS


@pytest.fixture(scope="session")
def vllm_engine(options: VllmOptions) -> Iterator[VllmLlm]:
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
