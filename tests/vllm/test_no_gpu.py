"""vLLM on a machine without a GPU, told to use one."""

from dataclasses import replace

import pytest

from serving.errors import EngineLoadFailed
from serving.llm.vllm import VllmLlm
from serving.llm.vllm_options import VllmOptions
from tests.contract.llm_suite import LANGUAGE_MODEL

pytestmark = pytest.mark.contract


def test_a_gpu_that_is_not_there_is_refused_in_a_sentence(options: VllmOptions) -> None:
    with pytest.raises(EngineLoadFailed, match=r"finds no NVIDIA GPU.*make doctor"):
        VllmLlm(replace(options, device="cuda"), LANGUAGE_MODEL / "hf").load()
