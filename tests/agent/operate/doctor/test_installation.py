"""Whether Callbox runs here, asked at the worker's real endpoint."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from agent.call.resources import CallResources
from agent.operate.doctor.installation import Running, ask_readiness, find_running
from agent.operate.health import create_ops_app
from tests.agent.operate.test_health import resources

__all__ = ["resources"]

pytestmark = pytest.mark.unit


@pytest.fixture
async def ops_port(resources: CallResources) -> AsyncIterator[int]:
    """That of the endpoint."""
    async with TestServer(create_ops_app(resources)) as server:
        assert server.port
        yield server.port


async def test_a_worker_that_is_loading(ops_port: int) -> None:
    running = await ask_readiness(ops_port)
    assert running == Running(profile="scripted", ready=False, lines=3, lines_busy=0)
    assert str(running) == "Callbox is running (profile scripted, still loading, 0 of 3 lines busy)"


async def test_a_busy_line(ops_port: int, resources: CallResources) -> None:
    resources.gate.enter()
    running = await ask_readiness(ops_port)
    assert running is not None
    assert running.lines_busy == 1


@pytest.mark.parametrize("answer", ["not JSON", "{}", '{"ready": true}'])
async def test_somebody_else_on_the_port(answer: str) -> None:
    async def readyz(_: web.Request) -> web.Response:
        return web.Response(text=answer)

    app = web.Application()
    app.router.add_get("/readyz", readyz)
    async with TestServer(app) as server:
        assert server.port
        assert await ask_readiness(server.port) is None


def test_nobody_on_the_port() -> None:
    assert find_running(unused_port()) is None
