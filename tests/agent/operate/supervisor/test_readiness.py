import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from agent.errors import ConfigError
from agent.operate.supervisor.probes import ready_url
from agent.operate.supervisor.readiness import PROCESSES, process_of_container, wait_until_ready
from agent.settings import Network

pytestmark = pytest.mark.unit


def _app(status: int) -> web.Application:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status)

    app = web.Application()
    app.router.add_get("/readyz", answer)
    return app


def _nobody() -> Network:
    return Network(ops_port=unused_port())


async def test_a_process_that_answers_is_ready() -> None:
    async with TestServer(_app(200), host="127.0.0.1") as server:
        assert await wait_until_ready("worker", Network(ops_port=server.port or 0), wait_s=0)


async def test_a_process_that_is_still_loading_is_not_ready() -> None:
    async with TestServer(_app(503), host="127.0.0.1") as server:
        assert not await wait_until_ready("worker", Network(ops_port=server.port or 0), wait_s=0)


async def test_waiting_lasts_until_it_answers() -> None:
    network = _nobody()
    waiting = asyncio.create_task(wait_until_ready("worker", network, wait_s=30))
    await asyncio.sleep(0)
    async with TestServer(_app(200), host="127.0.0.1", port=network.ops_port):
        assert await waiting


@pytest.fixture
def ended() -> "subprocess.Popen[bytes]":
    """A process that was."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process


async def test_nobody_waits_for_a_process_that_has_ended(ended: "subprocess.Popen[bytes]") -> None:
    async with asyncio.timeout(20):
        assert not await wait_until_ready("worker", _nobody(), wait_s=3600, pid=ended.pid)


def test_each_process_is_asked_at_its_own_port() -> None:
    assert len({ready_url(process, Network()) for process in PROCESSES}) == len(PROCESSES)


def test_an_unknown_process_is_rejected() -> None:
    with pytest.raises(ConfigError, match="'redis'"):
        ready_url("redis", Network())


@pytest.mark.parametrize("process", PROCESSES)
def test_a_container_knows_its_process(process: str, tmp_path: Path) -> None:
    command_line = tmp_path / "cmdline"
    command_line.write_bytes(
        b"\0".join([b"tini", b"--", b"python", b"-m", b"agent", process.encode(), b"--profile", b"gpu"])
    )
    assert process_of_container(command_line) == process


def test_elsewhere_the_process_must_be_named(tmp_path: Path) -> None:
    command_line = tmp_path / "cmdline"
    command_line.write_bytes(b"/sbin/init\0")
    with pytest.raises(ConfigError, match="Name the process"):
        process_of_container(command_line)
