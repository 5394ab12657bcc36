"""Whether Callbox itself is running here, which makes taken ports and used memory right instead of wrong."""

import asyncio
from dataclasses import dataclass

import aiohttp
from pydantic import BaseModel, ValidationError

TIMEOUT = aiohttp.ClientTimeout(total=2.0)


class _Readiness(BaseModel):
    """What agent/operate/health.py answers at /readyz."""

    ready: bool
    profile: str
    lines: int
    lines_busy: int
    engines: dict[str, str]


@dataclass(frozen=True, slots=True)
class Running:
    """A worker that answered."""

    profile: str
    ready: bool
    lines: int
    lines_busy: int

    def __str__(self) -> str:
        state = "ready" if self.ready else "still loading"
        return f"Callbox is running (profile {self.profile}, {state}, {self.lines_busy} of {self.lines} lines busy)"


def find_running(ops_port: int) -> Running | None:
    """The worker that answers on this machine's `ops_port`; None when nobody, or somebody else, does."""
    return asyncio.run(ask_readiness(ops_port))


async def ask_readiness(ops_port: int) -> Running | None:
    """The same, for whoever has a loop already."""
    url = f"http://127.0.0.1:{ops_port}/readyz"
    try:
        async with aiohttp.ClientSession(timeout=TIMEOUT) as http, http.get(url, allow_redirects=False) as response:
            answer = _Readiness.model_validate_json(await response.content.read(65536))
    except (aiohttp.ClientError, TimeoutError, ValidationError):
        return None
    return Running(answer.profile, answer.ready, answer.lines, answer.lines_busy)
