"""vLLM on CUDA: its cache, tenants, priorities and aborts, by the tests that tests/vllm has for the CPU."""

import pytest

from tests.vllm.test_engine import *  # noqa: F403

pytestmark = [pytest.mark.gpu, pytest.mark.usefixtures("installed_vllm")]
