"""vLLM's core is killed: the tests of tests/vllm, and whether its GPU memory becomes free. Runs last, as there."""

import os
import signal
from dataclasses import replace

import pytest

from serving.errors import EngineDied
from serving.llm.vllm import VllmLlm
from serving.llm.vllm_options import VllmOptions
from tests.contract.llm_suite import LANGUAGE_MODEL, LONG, SATURDAY, ask, reply, spoken
from tests.gpu.device import HAS_GPU, free_mib
from tests.gpu.test_memory import freed
from tests.vllm.test_zz_death import *  # noqa: F403
from tests.vllm.test_zz_death import cores

pytestmark = pytest.mark.gpu


@pytest.mark.skipif(not HAS_GPU, reason="there is no GPU memory to measure")
async def test_a_killed_cores_memory_is_free_again_and_it_loads_again(options: VllmOptions) -> None:
    engine = VllmLlm(replace(options, enforce_eager=True, max_kv_mib=1024), LANGUAGE_MODEL / "hf")
    others, before_mib = cores(), free_mib()
    engine.load()
    assert before_mib - free_mib() > 1024
    for pid in cores() - others:
        os.kill(pid, signal.SIGKILL)
    assert freed(before_mib - 200)
    with pytest.raises(EngineDied):
        engine.check()
    engine.close()
    engine.load()
    assert spoken(await reply(engine, ask(LONG))).startswith(SATURDAY)
    engine.close()
    assert freed(before_mib - 200)
