"""vLLM's core is killed in the middle of a reply; the host loads the engine again, and calls go on.

Runs last, so that the other tests need not load it again.
"""

import contextlib
import os
import signal

import psutil
import pytest

from serving.errors import EngineDied
from serving.host import EngineHost, Engines, EngineState
from serving.llm.vllm import VllmLlm
from tests.contract.llm_suite import LONG, SATURDAY, ask, reply, spoken
from tests.scripted.sounds import Sounds
from tests.scripted.stt import ScriptedStt
from tests.scripted.tts import ScriptedTts
from tests.scripted.vad import ScriptedVad
from tests.vllm.crowd import crowd, deaths

pytestmark = pytest.mark.contract


def cores() -> set[int]:
    """Process ids of vLLM's children of this process."""
    found = set()
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it ends just now
            if "VLLM" in " ".join(child.cmdline()):
                found.add(child.pid)
    return found


async def test_a_killed_core_ends_the_reply_and_is_loaded_again_by_the_host(shared: VllmLlm) -> None:
    sounds = Sounds()
    host = EngineHost(Engines(ScriptedVad(), ScriptedStt(sounds), None, shared, ScriptedTts(sounds)))
    host._states.update(dict.fromkeys(host.states, EngineState.READY))  # it was loaded by the fixture
    old = cores()
    assert old
    replies = await crowd(shared)
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    told = await deaths(replies)
    assert told
    assert all("has to be reloaded" in why for why in told)
    with pytest.raises(EngineDied):
        await shared.prefill(ask(LONG))
    with pytest.raises(EngineDied):
        shared.check()

    host.examine()

    assert host.states["llm"] is EngineState.READY
    assert spoken(await reply(shared, ask(LONG))).startswith(SATURDAY)
    assert not old & cores()


async def test_closing_leaves_no_process_and_streams_say_why(shared: VllmLlm) -> None:
    replies = await crowd(shared)
    shared.close()
    shared.close()
    assert await deaths(replies)
    with pytest.raises(EngineDied, match="not loaded"):
        shared.open(ask(LONG))
    assert cores() == set()
