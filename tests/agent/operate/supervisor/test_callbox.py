from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from rich.console import Console

from agent.operate.supervisor.callbox import (
    GPU_WORKER_READY_TIMEOUT_S,
    WORKER_READY_TIMEOUT_S,
    announcement,
    ports,
    processes,
    show_gpu_plan,
)
from agent.operate.supervisor.console import StatusBoard
from agent.operate.supervisor.probes import answers_200
from agent.settings import Keys, Network, load_settings
from models.store import open_store
from serving.errors import EngineLoadFailed
from serving.gpu.devices import Gpu
from serving.gpu.memory import GpuMemoryShort
from tests.serving.gpu.cards import card

pytestmark = pytest.mark.unit

KEYS = Keys(livekit_url="ws://127.0.0.1:7880", api_key="the-key", api_secret="the-secret")


def test_no_secret_is_on_a_command_line() -> None:
    for spec in processes(load_settings("demo"), KEYS, livekit_program="livekit-server"):
        assert not [word for word in spec.command if KEYS.api_secret in word]
        assert KEYS.api_secret not in repr(spec)
        assert KEYS.api_secret in " ".join(spec.environment.values())


def test_on_loopback_no_port_is_opened_to_others() -> None:
    assert {port.host for port in ports(Network(address="127.0.0.1"))} == {"127.0.0.1"}


def test_every_port_is_checked_once_and_the_worker_is_never_open_to_others() -> None:
    network = Network(address="192.0.2.7")
    looked_at = ports(network)
    assert len({(port.number, port.protocol) for port in looked_at}) == len(looked_at) == 5
    assert [port.host for port in looked_at if port.number == network.ops_port] == ["127.0.0.1"]


def test_the_first_line_is_the_address() -> None:
    settings = load_settings("demo").model_copy(update={"network": Network(address="192.0.2.7", web_port=8090)})
    first, *rest = announcement(settings)
    assert first == "Callbox is ready: http://192.0.2.7:8090"
    assert any("HTTPS" in line for line in rest)


async def test_a_probe_expects_200() -> None:
    app = web.Application()
    status = 503

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status)

    app.router.add_get("/readyz", answer)
    async with TestServer(app) as server:
        probe = answers_200(str(server.make_url("/readyz")))
        assert not await probe()
        status = 200
        assert await probe()
    assert not await probe()
    assert not await answers_200(f"http://127.0.0.1:{unused_port()}/")()


@dataclass
class Page:
    """What the terminal shows of the plan for a profile."""

    site: Path
    text: StringIO = field(default_factory=StringIO)

    def show(self, profile: str, *gpus: Gpu) -> str:
        """The plan on these GPUs."""
        board = StatusBoard(("worker",), Console(file=self.text, width=100))
        show_gpu_plan(load_settings(profile, site=self.site), open_store(), gpus, board)
        return self.text.getvalue()


@pytest.fixture
def page(tmp_path: Path) -> Page:
    """An empty one; there is no configs/site.yaml."""
    return Page(tmp_path / "none.yaml")


@pytest.mark.parametrize("profile", ["demo", "cpu"])
def test_a_profile_without_a_gpu_has_no_plan_to_show(page: Page, profile: str) -> None:
    assert page.show(profile) == ""
    assert page.show(profile, card(24)) == ""


def test_nothing_is_started_on_a_gpu_that_is_too_small_or_missing(page: Page) -> None:
    with pytest.raises(GpuMemoryShort, match="MiB short"):
        page.show("gpu", card(16))
    with pytest.raises(EngineLoadFailed, match="no NVIDIA driver answers"):
        page.show("gpu")


def test_the_plan_is_shown_and_then_what_keeps_the_engines_off_the_gpu(page: Page) -> None:
    old = replace(card(80), driver="470.82.01", driver_cuda=(11, 4))
    with pytest.raises(EngineLoadFailed, match=r"CTranslate2 is built for CUDA 12; .* driver 470"):
        page.show("gpu", old)
    rows = [line for line in page.text.getvalue().splitlines() if "GPU 0 " in line]
    assert [row.split("│")[0].strip() for row in rows] == [
        "stt whisper-large-v3-turbo (float16)",
        "llm llama-3.1-8b-instruct: weights",
        "llm llama-3.1-8b-instruct: work space",
        "llm llama-3.1-8b-instruct: KV cache",
        "left free",
    ]


def test_a_large_model_has_time_to_be_checked_and_loaded(tmp_path: Path) -> None:
    for profile, timeout_s in (("demo", WORKER_READY_TIMEOUT_S), ("gpu", GPU_WORKER_READY_TIMEOUT_S)):
        settings = load_settings(profile, site=tmp_path / "none.yaml")
        (worker,) = (
            spec for spec in processes(settings, KEYS, livekit_program="livekit-server") if spec.name == "worker"
        )
        assert worker.ready_timeout_s == timeout_s
