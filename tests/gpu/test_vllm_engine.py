"""vLLM on CUDA: its cache, tenants, priorities and aborts, by the tests that tests/vllm has for the CPU."""

import pytest

from tests.vllm.test_engine import *  # noqa: F403

pytestmark = pytest.mark.gpu


@pytest.fixture(autouse=True)
def needs_vllm(installed_vllm: None) -> None:
    """Skip without vLLM even the tests that load nothing."""
