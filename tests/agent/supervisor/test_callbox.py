import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from agent.settings import Keys, Network, load_settings
from agent.supervisor.callbox import announcement, ports, processes
from agent.supervisor.probes import answers_200

pytestmark = pytest.mark.unit

KEYS = Keys(livekit_url="ws://127.0.0.1:7880", api_key="the-key", api_secret="the-secret")


def test_no_secret_is_on_a_command_line() -> None:
    for spec in processes(load_settings("demo"), KEYS, livekit_program="livekit-server"):
        assert not [word for word in spec.command if KEYS.api_secret in word]
        assert KEYS.api_secret not in repr(spec)
        assert KEYS.api_secret in " ".join(spec.environment.values())


def test_on_loopback_no_port_is_opened_to_others() -> None:
    assert {port.host for port in ports(Network(address="127.0.0.1"))} == {"127.0.0.1"}


def test_every_port_is_looked_at_once_and_the_worker_is_never_open_to_others() -> None:
    network = Network(address="192.0.2.7")
    looked_at = ports(network)
    assert len({(port.number, port.protocol) for port in looked_at}) == len(looked_at) == 5
    assert [port.host for port in looked_at if port.number == network.ops_port] == ["127.0.0.1"]


def test_the_first_line_is_the_address() -> None:
    settings = load_settings("demo").model_copy(update={"network": Network(address="192.0.2.7", web_port=8090)})
    first, *rest = announcement(settings)
    assert first == "Callbox is ready: http://192.0.2.7:8090"
    assert any("HTTPS" in line for line in rest)


async def test_a_probe_wants_200() -> None:
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
