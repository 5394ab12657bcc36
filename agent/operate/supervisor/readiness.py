"""Waits for a process to be ready, for containers' health checks and for systemd units."""

import asyncio
import time
from pathlib import Path

import psutil

from agent.errors import ConfigError
from agent.operate.supervisor.probes import answers_200, ready_url
from agent.settings import Network

PROCESSES = ("livekit", "worker", "web")
FIRST_PROCESS = Path("/proc/1/cmdline")
POLL_S = 0.5


async def wait_until_ready(process: str, network: Network, *, wait_s: float, pid: int | None = None) -> bool:
    """Whether `process` gets ready within `wait_s` (0 asks once); stops waiting if the process `pid` ends."""
    probe = answers_200(ready_url(process, network))
    until_s = time.monotonic() + wait_s
    while not await probe():
        if time.monotonic() >= until_s or (pid is not None and not psutil.pid_exists(pid)):
            return False
        await asyncio.sleep(POLL_S)
    return True


def process_of_container(command_line: Path = FIRST_PROCESS) -> str:
    """Which process this container runs, from the command line of its first process. Raises ConfigError."""
    words = command_line.read_bytes().decode(errors="replace").split("\0")
    for word in words:
        if word in PROCESSES:
            return word
    raise ConfigError("This is not a container of livekit, worker or web. Name the process to check.")
