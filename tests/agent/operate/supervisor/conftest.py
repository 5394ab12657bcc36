"""Children that are real processes, and a supervisor over them."""

import asyncio
import io
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from agent.operate.supervisor.console import StatusBoard
from agent.operate.supervisor.keeper import KeeperOptions
from agent.operate.supervisor.process import ProcessSpec
from agent.operate.supervisor.restarts import RestartOptions
from agent.operate.supervisor.supervisor import Supervisor

CHILD = Path(__file__).with_name("child.py")
PATIENCE_S = 30.0
"""Longest wait for what must happen; a busy machine is slow."""


class Nursery:
    """Specs of children in one folder, what they wrote there, and what the board showed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.screen = io.StringIO()

    def spec(
        self, name: str, *options: str, needs: tuple[str, ...] = (), ready_timeout_s: float = PATIENCE_S
    ) -> ProcessSpec:
        """A child that the supervisor can start."""
        command = (sys.executable, str(CHILD), str(self.folder), name, *options)
        return ProcessSpec(
            name=name, command=command, probe=self._probe(name), needs=needs, ready_timeout_s=ready_timeout_s
        )

    def supervisor(
        self, specs: Sequence[ProcessSpec], *, max_restarts: int = 2, stop_grace_s: float = PATIENCE_S
    ) -> Supervisor:
        """Over `specs`, quick to restart."""
        restart = RestartOptions(max_restarts=max_restarts, first_delay_s=0.01, max_delay_s=0.05)
        board = StatusBoard([spec.name for spec in specs], Console(file=self.screen, width=200))
        options = KeeperOptions(restart=restart, stop_grace_s=stop_grace_s)
        return Supervisor(specs, board, announcement=["All is ready: HERE"], options=options)

    def lives(self, name: str) -> list[list[int]]:
        """A list a life: its pid, and its grandchild's."""
        file = self.folder / f"{name}.pids"
        return [[int(pid) for pid in line.split()] for line in file.read_text().splitlines()] if file.exists() else []

    def saw(self, name: str) -> list[str]:
        """Which children were ready when this one last started."""
        return (self.folder / f"{name}.saw").read_text().split()

    def _probe(self, name: str) -> Callable[[], Awaitable[bool]]:
        async def probe() -> bool:
            file = self.folder / f"{name}.ready"
            is_ready = file.exists() and bool(pid := file.read_text()) and _runs(int(pid))
            if is_ready:
                (self.folder / f"{name}.seen").touch()
            return is_ready

        return probe


async def until(condition: Callable[[], bool]) -> None:
    """Waits for what another process does."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if condition():
                return
            await asyncio.sleep(0.02)


def until_gone(pids: Sequence[int]) -> None:
    """Waits until none of these processes runs; one that nobody has reaped yet does not run."""
    deadline_s = time.monotonic() + PATIENCE_S
    while left := [pid for pid in pids if _runs(pid)]:
        assert time.monotonic() < deadline_s, f"still running: {left}"
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def tell(number: signal.Signals) -> None:
    """Signals the supervisor, which lives in this process."""
    os.kill(os.getpid(), number)


@pytest.fixture
def nursery(tmp_path: Path) -> Nursery:
    return Nursery(tmp_path)
