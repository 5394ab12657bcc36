import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.agent.operate.supervisor.conftest import Nursery, until, until_gone

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[4]


async def _start(nursery: Nursery) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.agent.operate.supervisor.supervised", str(nursery.folder), cwd=ROOT
    )
    await until(lambda: bool(nursery.lives("server") and nursery.lives("worker")))
    return process


async def test_nothing_outlives_a_killed_supervisor(nursery: Nursery) -> None:
    process = await _start(nursery)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    until_gone([nursery.lives(name)[0][0] for name in ("server", "worker")])


async def test_nothing_outlives_a_closed_terminal(nursery: Nursery) -> None:
    process = await _start(nursery)
    process.send_signal(signal.SIGHUP)
    assert await process.wait() == 0
    until_gone([nursery.lives(name)[0][0] for name in ("server", "worker")])


def test_a_spawned_child_ends_with_its_spawner_and_not_before() -> None:
    command = [sys.executable, "-m", "tests.agent.operate.supervisor.spawner"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as spawner:
        assert spawner.stdout is not None
        child = int(spawner.stdout.readline())
        assert psutil.Process(child).is_running()
        spawner.kill()
        until_gone([child])
