"""A caller books an appointment over a real room, by voice, and vLLM answers."""

from collections.abc import Iterator

import psutil
import pytest

from scripts.caller.dialogue import find_dialogue
from scripts.caller.goal import unmet
from tests.call.conftest import RunningBox, run_box
from tests.livekit_server import LiveKitServer, livekit_server

__all__ = ["livekit_server"]

pytestmark = pytest.mark.call

READY_S = 400.0
"""vLLM starts two processes, which import torch one after the other."""


@pytest.fixture(scope="module")
def box(livekit_server: LiveKitServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBox]:
    """The demo, but its Llama runs on vLLM."""
    options = {"max_calls": 2, "context_tokens": 2048, "max_kv_mib": 96}
    llm = {"engine": "vllm", "model": "demo-llm-hf", "options": options}
    folder = tmp_path_factory.mktemp("box")
    with run_box(livekit_server, folder, ready_s=READY_S, engines={"llm": llm}) as running:
        yield running


async def test_a_booking_dialogue_ends_in_a_booked_appointment(box: RunningBox) -> None:
    dialogue = find_dialogue("book")
    before = box.get("/clinic")

    record = await box.hold(dialogue.model_dump(), room="vllm")

    assert unmet(dialogue.goal, before, box.get("/clinic"), record.agent_said) == []
    assert len([exchange for exchange in record.exchanges if exchange.utterance]) >= 6
    told = (box.log.read_text() + box.get("/metrics")).lower()
    assert [word for word in ("anna", "smith", "tuesday", "book an appointment") if word in told] == []

    page = {line.split()[0]: float(line.split()[1]) for line in box.get("/metrics").splitlines() if line[0] != "#"}
    cached, computed = (page[f'callbox_prompt_tokens_total{{cached="{which}"}}'] for which in ("yes", "no"))
    assert cached > 5 * computed
    assert page["callbox_llm_prefills_total"] >= 1
    assert page["callbox_llm_queue_seconds_count"] >= 6


def test_a_worker_that_is_killed_takes_vllms_processes_along(box: RunningBox) -> None:
    """Left behind, they would keep the GPU's memory from the next worker."""
    children = psutil.Process(box.worker.pid).children(recursive=True)
    assert any("VLLM" in " ".join(child.cmdline()) for child in children)
    box.worker.kill()
    gone, alive = psutil.wait_procs(children, timeout=20)
    assert [child for child in alive if child.status() != psutil.STATUS_ZOMBIE] == []
    assert gone
