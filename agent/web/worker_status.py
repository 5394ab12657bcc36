"""Asks the worker's health endpoint whether a call can be taken.

`GET /readyz` answers 200 when the worker is ready and 503 when not; its JSON body may have `profile`, `lines` and
`lines_busy`.
"""

from dataclasses import dataclass
from typing import Any

import aiohttp

TIMEOUT = aiohttp.ClientTimeout(total=2.0)

NOT_RUNNING = "The agent is not running on this box. Start it with make run, then call again."
WARMING_UP = "The agent is still warming up. Please try again in a moment."
BUSY = "All lines are busy. Please try again in a moment."


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStatus:
    """What the worker reports about itself."""

    refusal: str | None = None
    """Why no call can be taken now, as a sentence; None if one can."""
    profile: str | None = None
    """The worker's profile."""
    lines: int | None = None
    """Calls it can take at once."""
    lines_busy: int | None = None
    """Calls in progress."""

    @property
    def ready(self) -> bool:
        """Whether a call can be taken now."""
        return self.refusal is None

    @property
    def busy(self) -> bool:
        """Whether every line is taken."""
        return self.refusal == BUSY


async def ask_worker(http: aiohttp.ClientSession, worker_url: str) -> WorkerStatus:
    """The worker's status; a worker that does not answer within 2 s counts as not running."""
    try:
        async with http.get(f"{worker_url.rstrip('/')}/readyz", timeout=TIMEOUT) as response:
            body = await _json_object(response)
            return read_status(ready=response.status == 200, body=body)
    except (aiohttp.ClientError, TimeoutError):
        return WorkerStatus(refusal=NOT_RUNNING)


def read_status(*, ready: bool, body: dict[str, Any]) -> WorkerStatus:
    """The status in the endpoint's answer; fields of the wrong type count as absent."""
    lines, lines_busy = _count(body.get("lines")), _count(body.get("lines_busy"))
    profile = body.get("profile")
    full = lines is not None and lines_busy is not None and lines_busy >= lines
    refusal = BUSY if full else None if ready else WARMING_UP
    return WorkerStatus(
        refusal=refusal, profile=profile if isinstance(profile, str) else None, lines=lines, lines_busy=lines_busy
    )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


async def _json_object(response: aiohttp.ClientResponse) -> dict[str, Any]:
    try:
        body = await response.json(content_type=None)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
