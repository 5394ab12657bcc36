"""LiveKit's adaptive-interruption protocol, served by the worker to its own calls only, each with its own judge."""

import asyncio
import datetime
import json
import struct
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import aiohttp
import numpy as np
import pytest
from livekit import api
from livekit.agents.inference._utils import create_access_token

from agent.adapters import interruption_server
from agent.adapters.interruption_server import InterruptionServer
from agent.settings import Keys
from agent.turns.overlap import Judged
from serving.audio import Pcm16

pytestmark = pytest.mark.unit

KEYS = Keys(livekit_url="ws://127.0.0.1", api_key="callbox", api_secret="the secret of this installation only")
CREATE = {
    "type": "session.create",
    "settings": {"sample_rate": 16_000, "num_channels": 1, "min_frames": 2, "encoding": "s16le"},
}


@pytest.fixture
async def server() -> AsyncIterator[tuple[InterruptionServer, str]]:
    """A running server and its URL."""
    server = InterruptionServer(KEYS)
    url = await server.start()
    yield server, f"{url}/bargein"
    await server.aclose()


def headers(*, job: str = "AJ_one", token: str | None = None) -> dict[str, str]:
    """Request headers as LiveKit sends them."""
    token = create_access_token(KEYS.api_key, KEYS.api_secret) if token is None else token
    return {"X-LiveKit-Job-ID": job, "Authorization": f"Bearer {token}"}


async def loud(samples: Pcm16) -> Judged:
    """Judge that stops the agent for any sound at all."""
    return Judged(stops=bool(samples.any()), wish=0.9 if samples.any() else 0.1, inference_s=0.02)


async def ask(socket: aiohttp.ClientWebSocketResponse, created_at: int, *values: int) -> dict[str, Any]:
    """Send a window and return the answer."""
    await socket.send_bytes(struct.pack("<Q", created_at) + np.array(values, "<i2").tobytes())
    return dict(await socket.receive_json(timeout=5))


# who is served


def _token(*, secret: str = KEYS.api_secret, ttl_s: float = 600, perform: bool = True) -> str:
    token = api.AccessToken(KEYS.api_key, secret).with_ttl(datetime.timedelta(seconds=ttl_s))
    grant = api.access_token.InferenceGrants(perform=perform)
    return token.with_inference_grants(grant).to_jwt()


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="none"),
        pytest.param("not.a.token", id="no token"),
        pytest.param(_token(secret="another secret, as long as the true one"), id="another secret"),
        pytest.param(_token(ttl_s=-600), id="expired"),
        pytest.param(_token(perform=False), id="not for inference"),
        pytest.param(
            api.AccessToken(KEYS.api_key, KEYS.api_secret)
            .with_identity("caller")
            .with_grants(api.VideoGrants(room_join=True, room="clinic"))
            .to_jwt(),
            id="a caller's",
        ),
    ],
)
async def test_a_client_without_an_inference_token_is_refused(
    server: tuple[InterruptionServer, str], token: str
) -> None:
    with server[0].judging("AJ_one", loud):
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                await session.ws_connect(server[1], headers=headers(token=token))
    assert refusal.value.status == 401


async def test_a_token_in_another_scheme_is_refused(server: tuple[InterruptionServer, str]) -> None:
    with server[0].judging("AJ_one", loud):
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                await session.ws_connect(server[1], headers={**headers(), "Authorization": f"Basic {_token()}"})
    assert refusal.value.status == 401


@pytest.mark.parametrize("job", ["", "AJ_other"])
async def test_only_calls_under_way_are_served(server: tuple[InterruptionServer, str], job: str) -> None:
    with server[0].judging("AJ_other", loud):
        pass
    with server[0].judging("AJ_one", loud):
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                await session.ws_connect(server[1], headers=headers(job=job))
    assert refusal.value.status == 404


async def test_it_listens_on_loopback_only(server: tuple[InterruptionServer, str]) -> None:
    assert server[1].startswith("http://127.0.0.1:")


# what is said


async def test_a_session_from_beginning_to_end(server: tuple[InterruptionServer, str]) -> None:
    with server[0].judging("AJ_one", loud):
        async with aiohttp.ClientSession() as session, session.ws_connect(server[1], headers=headers()) as socket:
            await socket.send_json(CREATE)
            assert await socket.receive_json(timeout=5) == {"type": "session.created", "default_threshold": 0.5}
            assert await ask(socket, 17, 0, 0) == {
                "type": "inference_done",
                "created_at": 17,
                "prediction_duration": 0.02,
                "probabilities": [0.1, 0.1],
            }
            assert (await ask(socket, 2**63, 0, 9))["type"] == "bargein_detected"
            await socket.send_json({"type": "session.close"})
            assert await socket.receive_json(timeout=5) == {"type": "session.closed"}


@pytest.mark.parametrize(
    "message",
    [
        b"short",
        struct.pack("<Q", 1) + b"odd",
        "no JSON",
        json.dumps({"type": "something else"}),
        json.dumps(CREATE).replace("16000", "8000"),
    ],
)
async def test_invalid_messages_are_refused(server: tuple[InterruptionServer, str], message: bytes | str) -> None:
    with server[0].judging("AJ_one", loud):
        async with aiohttp.ClientSession() as session, session.ws_connect(server[1], headers=headers()) as socket:
            await (socket.send_bytes(message) if isinstance(message, bytes) else socket.send_str(message))
            answer = await socket.receive_json(timeout=5)
            assert (answer["type"], answer["code"]) == ("error", 400)
            assert (await socket.receive(timeout=5)).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)


# calls on event loops of their own


@contextmanager
def another_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop in another thread, as jobs have."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def test_each_call_is_judged_on_its_own_loop(server: tuple[InterruptionServer, str]) -> None:
    ran_on: dict[int, asyncio.AbstractEventLoop] = {}

    async def hold(name: int, begun: "Future[None]") -> None:
        async def judge(samples: Pcm16) -> Judged:
            ran_on[name] = asyncio.get_running_loop()
            return Judged(stops=bool(samples[0] == name))

        with server[0].judging(f"AJ_{name}", judge):
            begun.set_result(None)
            await asyncio.Event().wait()

    with another_loop() as first, another_loop() as second:
        loops = {1: first, 2: second}
        begun: dict[int, Future[None]] = {name: Future() for name in loops}
        calls = [asyncio.run_coroutine_threadsafe(hold(name, begun[name]), loop) for name, loop in loops.items()]
        await asyncio.gather(*(asyncio.wrap_future(future) for future in begun.values()))
        async with aiohttp.ClientSession() as session:
            sockets = {name: await session.ws_connect(server[1], headers=headers(job=f"AJ_{name}")) for name in loops}
            answers = await asyncio.gather(*(ask(socket, 5, name) for name, socket in sockets.items()))
            assert [answer["type"] for answer in answers] == ["bargein_detected"] * 2
            assert (await ask(sockets[1], 6, 2))["type"] == "inference_done"
            assert ran_on == loops
        for call in calls:
            call.cancel()


async def test_a_stuck_call_gets_an_answer(
    server: tuple[InterruptionServer, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interruption_server, "ANSWER_WITHIN_S", 0.05)
    never = asyncio.Event()

    async def judge(samples: Pcm16) -> Judged:
        await never.wait()
        return Judged(stops=True)

    with server[0].judging("AJ_one", judge):
        async with aiohttp.ClientSession() as session, session.ws_connect(server[1], headers=headers()) as socket:
            assert (await ask(socket, 5, 1))["type"] == "inference_done"


async def test_a_judge_that_fails_gets_an_answer(server: tuple[InterruptionServer, str]) -> None:
    async def judge(samples: Pcm16) -> Judged:
        raise RuntimeError("broken")

    with server[0].judging("AJ_one", judge):
        async with aiohttp.ClientSession() as session, session.ws_connect(server[1], headers=headers()) as socket:
            assert (await ask(socket, 5, 1))["type"] == "inference_done"
            assert (await ask(socket, 6, 1))["type"] == "inference_done"
