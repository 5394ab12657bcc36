"""The worker's endpoint for the operator: health, metrics, and the clinic's book."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from agent.call.resources import CallResources, prepare
from agent.operate.health import create_ops_app, serve_ops
from serving import metrics
from serving.host import Engines
from tests.call_resources import call_resources
from tests.scripted import ScriptedLlm, ScriptedStt, ScriptedTts, ScriptedTurn, ScriptedVad, Sounds

pytestmark = pytest.mark.unit

Client = TestClient[web.Request, web.Application]


@pytest.fixture
def resources() -> CallResources:
    """What calls share, on scripted engines that are not loaded yet."""
    sounds = Sounds()
    engines = Engines(
        vad=ScriptedVad(),
        stt=ScriptedStt(sounds),
        turn=ScriptedTurn(sounds),
        llm=ScriptedLlm(lambda request: []),
        tts=ScriptedTts(sounds, piece_s=0.0),
    )
    return call_resources(engines, phrase_texts={"greeting": "hello"}, lines=3, title="only a test")


@pytest.fixture
async def client(resources: CallResources) -> AsyncIterator[Client]:
    """Whoever asks."""
    async with TestClient(TestServer(create_ops_app(resources))) as client:
        yield client


async def test_it_is_alive_before_it_is_ready(client: Client) -> None:
    answer = await client.get("/livez")
    assert (answer.status, await answer.json()) == (200, {"alive": True})


async def test_it_is_not_ready_before_its_engines_are(client: Client) -> None:
    answer = await client.get("/readyz")
    body = await answer.json()
    assert (answer.status, body["ready"]) == (503, False)
    assert body["engines"] == dict.fromkeys(("vad", "stt", "turn", "llm", "tts"), "unloaded")


async def test_it_is_not_ready_before_its_stock_phrases_are(client: Client, resources: CallResources) -> None:
    resources.host.load()
    assert (await client.get("/readyz")).status == 503


async def test_it_is_not_ready_before_the_media_server_knows_it(client: Client, resources: CallResources) -> None:
    resources.host.load()
    await prepare(resources)
    assert (await client.get("/readyz")).status == 503


async def test_it_is_ready_when_everything_is(client: Client, resources: CallResources) -> None:
    resources.host.load()
    await prepare(resources)
    resources.registered = True
    resources.gate.enter()
    answer = await client.get("/readyz")
    assert answer.status == 200
    assert await answer.json() == {
        "ready": True,
        "profile": "scripted",
        "title": "only a test",
        "lines": 3,
        "lines_busy": 1,
        "engines": dict.fromkeys(("vad", "stt", "turn", "llm", "tts"), "ready"),
    }


async def test_a_dead_engine_makes_it_unready(client: Client, resources: CallResources) -> None:
    resources.host.load()
    await prepare(resources)
    resources.registered = True
    assert (await client.get("/readyz")).status == 200
    resources.host.engines.llm.is_dead = True  # type: ignore[attr-defined]
    resources.host.engines.llm.load_error = RuntimeError("no memory")  # type: ignore[attr-defined]
    resources.host.examine()
    answer = await client.get("/readyz")
    assert answer.status == 503
    assert (await answer.json())["engines"]["llm"] == "failed"


async def test_metrics_are_prometheus_text(client: Client) -> None:
    metrics.TURNS.labels("yes").inc(0)
    answer = await client.get("/metrics")
    text = await answer.text()
    assert answer.content_type == "text/plain"
    assert "# TYPE callbox_voice_to_voice_seconds histogram" in text
    assert 'callbox_turns_total{preempted="yes"}' in text


async def test_the_clinics_book_is_shown(client: Client, resources: CallResources) -> None:
    answer = await client.get("/clinic")
    assert await answer.json() == await resources.clinic.book.snapshot()


@pytest.mark.parametrize("path", ["/", "/clinic/1", "/metricsx"])
async def test_there_is_nothing_else(client: Client, path: str) -> None:
    assert (await client.get(path)).status == 404


async def test_it_changes_nothing(client: Client) -> None:
    assert (await client.post("/clinic", json={})).status == 405


async def test_a_taken_port_is_an_error(resources: CallResources) -> None:
    async with TestServer(create_ops_app(resources), host="127.0.0.1") as taken:
        assert taken.port is not None
        with pytest.raises(OSError, match="in use"):
            await serve_ops(resources, taken.port)
