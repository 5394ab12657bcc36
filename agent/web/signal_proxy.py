"""Proxies LiveKit's signalling to livekit-server, so that one certificate covers both the page and calls.

Only signalling goes this way; audio flows directly between the browser and livekit-server over UDP.
"""

import asyncio

import aiohttp
from aiohttp import web
from yarl import URL


async def proxy_signal(
    request: web.Request, *, http: aiohttp.ClientSession, livekit_url: str, path: str
) -> web.StreamResponse:
    """Answer `request` as livekit-server answers at `path`: with a WebSocket, or with the reason for refusing one."""
    target = (URL(livekit_url) / path).with_query(request.query)
    headers = {"Authorization": request.headers["Authorization"]} if "Authorization" in request.headers else {}
    try:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            async with http.get(target.with_scheme("http"), headers=headers) as response:
                return web.Response(status=response.status, text=await response.text())
        async with http.ws_connect(target, headers=headers, max_msg_size=0) as server:
            return await _join(request, server)
    except aiohttp.WSServerHandshakeError as error:
        return web.Response(status=error.status)
    except aiohttp.ClientError:
        return web.Response(status=502, text="livekit-server does not answer")


async def _join(request: web.Request, server: aiohttp.ClientWebSocketResponse) -> web.WebSocketResponse:
    browser = web.WebSocketResponse(max_msg_size=0)
    await browser.prepare(request)
    directions = [asyncio.create_task(_copy(browser, server)), asyncio.create_task(_copy(server, browser))]
    try:
        await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in directions:
            task.cancel()
        await asyncio.gather(*directions, return_exceptions=True)
        await browser.close()
    return browser


Socket = aiohttp.ClientWebSocketResponse | web.WebSocketResponse


async def _copy(source: Socket, target: Socket) -> None:
    async for message in source:
        if message.type is aiohttp.WSMsgType.TEXT:
            await target.send_str(message.data)
        elif message.type is aiohttp.WSMsgType.BINARY:
            await target.send_bytes(message.data)
