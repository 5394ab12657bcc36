"""Ways to ask a process whether it is ready."""

from collections.abc import Awaitable, Callable

import aiohttp

TIMEOUT = aiohttp.ClientTimeout(total=2.0)


def answers_200(url: str) -> Callable[[], Awaitable[bool]]:
    """A probe: GET `url` answers 200 within two seconds. Proxies of the environment are not used.

    A certificate is not looked at: it names the box's address in the network, the probe asks on loopback.
    """

    async def probe() -> bool:
        try:
            async with aiohttp.ClientSession(timeout=TIMEOUT) as http, http.get(url, ssl=False) as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    return probe
