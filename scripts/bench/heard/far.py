"""A caller far away: packets between them and the media server are delayed, jittered and lost. Only for measuring.

Signalling passes through a proxy that rewrites the media addresses: the server's become those of a UDP relay, the caller's
lead nowhere, so that all sound goes through the relay. Each number is replaced by one of the same length, which keeps the
messages' framing intact.
"""

import asyncio
import contextlib
import random
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import cast

import aiohttp
from aiohttp import web
from yarl import URL

_HOST = re.compile(rb"( \d+\.\d+\.\d+\.\d+ )(\d+)( typ host)")


@dataclass(frozen=True, slots=True)
class Distance:
    """What happens to packets of sound, in each direction."""

    delay_s: float
    jitter_s: float
    """Standard deviation of the delay; packets stay in order."""
    lost: float
    """Share of packets that get lost."""


class _Relay(asyncio.DatagramProtocol):
    """One direction of one caller's packets, or the socket where they come in."""

    def __init__(self, far: "_Far", back: "tuple[_Relay, tuple[str, int]] | None" = None) -> None:
        self._far = far
        self._back = back
        self._due_s = 0.0
        self.transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)  # not every event loop's transport derives from it

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        distance, loop = self._far.distance, asyncio.get_running_loop()
        if self._far.random.random() < distance.lost:
            return
        delay_s = max(0.0, self._far.random.gauss(distance.delay_s, distance.jitter_s))
        self._due_s = max(self._due_s + 1e-6, loop.time() + delay_s)  # the loop does not keep the order of equal times
        if self._back is not None:
            front, caller = self._back
            loop.call_at(self._due_s, front.transport.sendto, data, caller)
        else:
            loop.call_at(self._due_s, self._far.pass_on, self, data, addr)


class _Far:
    def __init__(self, distance: Distance, server: tuple[str, int]) -> None:
        self.distance = distance
        self.random = random.Random(0)
        self._server = server
        self._ways: dict[tuple[str, int], asyncio.Task[_Relay]] = {}

    def pass_on(self, front: _Relay, data: bytes, caller: tuple[str, int]) -> None:
        if caller not in self._ways:
            self._ways[caller] = asyncio.create_task(self._open(front, caller))
        way = self._ways[caller]
        way.add_done_callback(lambda opened: opened.result().transport.sendto(data))

    async def _open(self, front: _Relay, caller: tuple[str, int]) -> _Relay:
        loop = asyncio.get_running_loop()
        _, relay = await loop.create_datagram_endpoint(lambda: _Relay(self, (front, caller)), remote_addr=self._server)
        return relay

    async def aclose(self) -> None:
        for way in self._ways.values():
            if way.done():
                way.result().transport.close()
            else:
                way.cancel()
        await asyncio.sleep(0)  # they close in the loop's next iteration


@contextlib.asynccontextmanager
async def far_away(distance: Distance, livekit_url: str, media_port: int) -> AsyncIterator[str]:
    """The address at which a caller reaches livekit-server from afar. `media_port` must have five digits."""
    far, loop = _Far(distance, ("127.0.0.1", media_port)), asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Relay(far), local_addr=("127.0.0.1", 0))
    relay_port = b"%05d" % transport.get_extra_info("sockname")[1]

    async def pass_on(request: web.Request) -> web.StreamResponse:
        headers = {name: request.headers[name] for name in ("Authorization",) if name in request.headers}
        target = (URL(livekit_url) / request.path.lstrip("/")).with_query(request.query)
        async with aiohttp.ClientSession() as http:
            if request.headers.get("Upgrade", "").lower() != "websocket":
                async with http.get(target.with_scheme("http"), headers=headers) as response:
                    return web.Response(status=response.status, text=await response.text())
            async with http.ws_connect(target, headers=headers, max_msg_size=0) as server:
                caller = web.WebSocketResponse(max_msg_size=0)
                await caller.prepare(request)
                to_caller = asyncio.create_task(_copy(server, caller, lambda match: relay_port))
                await _copy(caller, server, lambda match: b"9".zfill(len(match[2])))
                to_caller.cancel()
                return caller

    app = web.Application()
    app.router.add_route("GET", "/{path:.*}", pass_on)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"ws://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
        transport.close()
        await far.aclose()


Socket = aiohttp.ClientWebSocketResponse | web.WebSocketResponse


async def _copy(source: Socket, target: Socket, port: Callable[[re.Match[bytes]], bytes]) -> None:
    async for message in source:
        if message.type is aiohttp.WSMsgType.TEXT:
            await target.send_str(message.data)
        elif message.type is aiohttp.WSMsgType.BINARY:
            await target.send_bytes(_HOST.sub(lambda match: match[1] + port(match) + match[3], message.data))
