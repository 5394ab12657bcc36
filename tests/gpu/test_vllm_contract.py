"""vLLM on CUDA against the seam: the tests that every language model engine passes."""

import pytest

from tests.contract.llm_suite import *  # noqa: F403

pytestmark = pytest.mark.gpu
