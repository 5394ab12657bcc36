"""A connection to the media server that delays and loses packets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import aiohttp
import pytest
from aiohttp import web

from scripts.bench.heard.far import Distance, far_away

pytestmark = pytest.mark.unit

CANDIDATE = b"\x0a\x30candidate:1 1 udp 2130706431 127.0.0.1 %05d typ host generation 0\x12"


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)  # what it is does not derive from it everywhere

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.transport.sendto(data, addr)


class Caller(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.heard.append(data)


@asynccontextmanager
async def media_server(told: list[bytes]) -> AsyncIterator[tuple[str, int]]:
    """Echoes packets, and tells its address to whoever tells theirs: its signalling address and its media port."""
    media, _ = await asyncio.get_running_loop().create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    port = media.get_extra_info("sockname")[1]

    async def signal(request: web.Request) -> web.WebSocketResponse:
        joined = web.WebSocketResponse()
        await joined.prepare(request)
        told.append(await joined.receive_bytes())
        await joined.send_bytes(CANDIDATE % port)
        await joined.receive()
        return joined

    app = web.Application()
    app.router.add_get("/rtc", signal)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"ws://127.0.0.1:{runner.addresses[0][1]}", port
    finally:
        await runner.cleanup()
        media.close()
        await asyncio.sleep(0)


@pytest.mark.parametrize(("lost", "least", "most"), [(0.0, 40, 40), (0.3, 5, 36)])
async def test_packets_go_through_the_relay_in_order_and_some_get_lost(lost: float, least: int, most: int) -> None:
    told: list[bytes] = []
    async with media_server(told) as (url, port), far_away(Distance(0.02, 0.01, lost), url, port) as far:
        async with aiohttp.ClientSession() as http, http.ws_connect(f"{far}/rtc") as joined:
            await joined.send_bytes(CANDIDATE % 55555)
            answer = await joined.receive_bytes()
        assert told == [CANDIDATE % 9]
        relay = int(answer.split()[5])
        assert answer == CANDIDATE % relay
        assert relay != port
        caller = Caller()
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: caller, remote_addr=("127.0.0.1", relay)
        )
        sent = [bytes([at]) for at in range(40)]
        for packet in sent:
            transport.sendto(packet)
        await asyncio.sleep(1.0)
        transport.close()
    assert least <= len(caller.heard) <= most
    assert caller.heard == sorted(caller.heard)
