"""What is checked: a checkout, its settings and models as far as they can be read, and Callbox itself if it is running."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from pydantic import BaseModel, ValidationError

from agent.operate.gpu_plan import uses_gpu
from agent.settings import Network, Settings
from models.errors import CallboxError
from models.store import ModelStore

TIMEOUT = aiohttp.ClientTimeout(total=2.0)


class CannotExamine(CallboxError):
    """A check lacks what it needs, for a reason that has its own row; the message names that row."""


class Running(BaseModel):
    """A worker on this machine, as it answers at /readyz (agent/operate/health.py)."""

    profile: str
    ready: bool
    lines: int
    lines_busy: int

    def __str__(self) -> str:
        state = "ready" if self.ready else "still loading"
        return f"Callbox is running (profile {self.profile}, {state}, {self.lines_busy} of {self.lines} lines busy)"


def find_running(ops_port: int) -> Running | None:
    """The worker that answers on this machine's `ops_port`; None if nothing does, or something else."""
    return asyncio.run(ask_readiness(ops_port))


async def ask_readiness(ops_port: int) -> Running | None:
    """`find_running` for a caller that is already in an event loop."""
    url = f"http://127.0.0.1:{ops_port}/readyz"
    try:
        async with aiohttp.ClientSession(timeout=TIMEOUT) as http, http.get(url, allow_redirects=False) as response:
            return Running.model_validate_json(await response.content.read(65536))
    except (aiohttp.ClientError, TimeoutError, ValidationError):
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A checkout and what could be read of it."""

    root: Path
    """The checkout."""
    cache: Path
    """Holds livekit-server and downloaded wheels."""
    profile: str
    known_settings: Settings | None
    """None if they cannot be read, which has its own row."""
    known_store: ModelStore | None
    """None if the manifest cannot be read, which has its own row."""
    running: Running | None = None
    """Callbox itself, if it is running here now."""

    @property
    def settings(self) -> Settings:
        """Raises CannotExamine."""
        if self.known_settings is None:
            raise CannotExamine("needs the settings, which cannot be read (row settings)")
        return self.known_settings

    @property
    def network(self) -> Network:
        """Raises CannotExamine."""
        return self.settings.network

    @property
    def store(self) -> ModelStore:
        """Raises CannotExamine."""
        if self.known_store is None:
            raise CannotExamine("needs models/manifest.yaml, which cannot be read (row manifest)")
        return self.known_store

    @property
    def needs_gpu(self) -> bool:
        """Whether the profile computes on an NVIDIA GPU."""
        return self.profile == "gpu" or (self.known_settings is not None and uses_gpu(self.known_settings))

    @property
    def model_names(self) -> tuple[str, ...]:
        """The models that the settings name; without settings, those that the manifest lists for the profile.

        Raises CannotExamine.
        """
        if self.known_settings is None:
            return self.store.names_for(self.profile)
        return self.known_settings.model_names
