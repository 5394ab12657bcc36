"""Probes that ask a process whether it is ready."""

from collections.abc import Awaitable, Callable

import aiohttp

from agent.errors import ConfigError
from agent.operate.supervisor.livekit_server import LOOPBACK
from agent.settings import Network

TIMEOUT = aiohttp.ClientTimeout(total=2.0)


def answers_200(url: str) -> Callable[[], Awaitable[bool]]:
    """A probe that is true if GET `url` answers 200 within two seconds. It ignores the environment's proxies, and does not
    verify the certificate, which names the box's network address while the probe asks on loopback."""

    async def probe() -> bool:
        try:
            async with aiohttp.ClientSession(timeout=TIMEOUT) as http, http.get(url, ssl=False) as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    return probe


def ready_url(process: str, network: Network) -> str:
    """The URL that answers 200 once "livekit", "worker" or "web" is ready. Raises ConfigError for any other name."""
    match process:
        case "livekit":
            return f"http://{LOOPBACK}:{network.livekit_port}/"
        case "worker":
            return f"http://{LOOPBACK}:{network.ops_port}/readyz"
        case "web":
            return f"{network.web_scheme}://{LOOPBACK}:{network.web_port}/healthz"
    raise ConfigError(f"There is no process '{process}'. Choose livekit, worker or web.")
