"""configs/livekit.yaml on a real livekit-server: what it listens on, and what it tells its clients to talk to."""

import asyncio
import socket

import aiohttp
import psutil
import pytest
import yaml
from livekit import api
from livekit.protocol.rtc import SignalResponse

from agent.errors import ConfigError
from agent.operate.supervisor.livekit_server import require_own_address, server_config
from agent.settings import Network
from tests.livekit_server import LiveKitServer, livekit_server

__all__ = ["livekit_server"]

pytestmark = pytest.mark.call


async def _ice_urls(server: LiveKitServer) -> list[str]:
    """What the server tells a client that joins."""
    grants = api.VideoGrants(room_join=True, room="r")
    token = api.AccessToken(server.key, server.secret).with_identity("caller").with_grants(grants).to_jwt()
    url = f"{server.url}/rtc?access_token={token}&protocol=15&auto_subscribe=1"
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as signal:
        async with asyncio.timeout(20):
            async for message in signal:
                response = SignalResponse.FromString(message.data)
                if response.HasField("join"):
                    return [url for ice_server in response.join.ice_servers for url in ice_server.urls]
    raise AssertionError("the server did not answer the join")


async def test_clients_learn_of_no_server_outside_the_machine(livekit_server: LiveKitServer) -> None:
    urls = await _ice_urls(livekit_server)
    assert urls
    assert [url for url in urls if not url.startswith("stun:127.0.0.1:")] == []


def test_listens_on_loopback_only(livekit_server: LiveKitServer) -> None:
    listening = [
        connection.laddr
        for connection in psutil.Process(livekit_server.process.pid).net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN or connection.type == socket.SOCK_DGRAM
    ]
    assert len(listening) == 2
    assert {address.ip for address in listening} == {"127.0.0.1"}


def test_with_an_address_it_serves_that_one_and_loopback() -> None:
    config = yaml.safe_load(server_config(Network(address="192.0.2.7", rtc_tcp_port=7991)))
    assert config["bind_addresses"] == ["127.0.0.1", "192.0.2.7"]
    assert config["rtc"]["node_ip"] == "192.0.2.7"
    assert config["rtc"]["ips"] == {"includes": ["192.0.2.7/32"]}
    assert config["rtc"]["tcp_port"] == 7991
    assert config["rtc"]["stun_servers"] == ["127.0.0.1:9"]


@pytest.mark.parametrize("address", ["192.0.2.7", "callbox.local", "0.0.0.0"])
def test_an_address_of_another_machine_is_rejected(address: str) -> None:
    with pytest.raises(ConfigError, match=f"ADDRESS={address} is not an"):
        require_own_address(Network(address=address))
