"""A caller books an appointment over a real room, by voice; Whisper and vLLM are on the GPU."""

from collections.abc import Iterator

import pytest

from tests.call.conftest import RunningBox, run_box
from tests.gpu.device import COMPUTE_TYPES, DEVICE
from tests.livekit_server import LiveKitServer, livekit_server
from tests.vllm.test_call import READY_S, test_a_booking_dialogue_ends_in_a_booked_appointment

__all__ = ["livekit_server", "test_a_booking_dialogue_ends_in_a_booked_appointment"]

pytestmark = [pytest.mark.gpu, pytest.mark.flaky(reruns=1)]  # calls live in real time


@pytest.fixture(scope="module")
def box(
    installed_vllm: None, livekit_server: LiveKitServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningBox]:
    """The demo with the gpu profile's engines."""
    llm = {
        "device": DEVICE,
        "max_calls": 2,
        "context_tokens": 2048,
        "max_kv_mib": 96,
        "enforce_eager": True,  # it starts sooner; the bench's own calls are answered by compiled code
    }
    stt = {"device": DEVICE, "compute_type": COMPUTE_TYPES[0], "window_floor_s": 4.0}
    engines = {
        "stt": {"engine": "faster-whisper", "model": "demo-stt", "options": stt},
        "llm": {"engine": "vllm", "model": "demo-llm-hf", "options": llm},
    }
    folder = tmp_path_factory.mktemp("box")
    with run_box(livekit_server, folder, ready_s=READY_S, engines=engines) as running:
        yield running
