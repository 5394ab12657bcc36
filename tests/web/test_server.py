"""The web process over HTTP: tokens, refusals, headers."""

import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import web

from agent.errors import ConfigError
from agent.web.options import WebOptions
from agent.web.server import run_web
from tests.livekit_server import free_port
from tests.web.conftest import serve, serve_web

pytestmark = pytest.mark.web

KEY, SECRET = "a-key", "a-secret-that-is-long-enough-to-sign"


@pytest.fixture
def alone() -> WebOptions:
    """Options that need neither livekit-server nor a worker."""
    return WebOptions(api_key=KEY, api_secret=SECRET, worker_url=None, agent_name="desk", profile="demo")


@asynccontextmanager
async def client(options: WebOptions) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of a web server with `options`."""
    async with serve_web(options) as url, aiohttp.ClientSession(url) as session:
        yield session


@asynccontextmanager
async def worker(status: int, body: Any) -> AsyncIterator[str]:
    """A worker's health endpoint that always answers the same."""

    async def readyz(_request: web.Request) -> web.Response:
        return web.json_response(body, status=status)

    app = web.Application()
    app.router.add_get("/readyz", readyz)
    async with serve(app) as url:
        yield url


async def fetch(http: aiohttp.ClientSession, method: str, path: str, **request: Any) -> aiohttp.ClientResponse:
    """The answer, read to its end."""
    async with http.request(method, path, **request) as response:
        await response.read()
        return response


async def answer(http: aiohttp.ClientSession, method: str, path: str, **request: Any) -> tuple[int, Any]:
    """Status and JSON body."""
    response = await fetch(http, method, path, **request)
    return response.status, await response.json()


async def test_a_call_gets_a_token_for_one_room_and_one_agent(alone: WebOptions) -> None:
    async with client(alone) as http:
        status, call = await answer(http, "POST", "/api/calls", json={})
        _, other = await answer(http, "POST", "/api/calls", json={})
    assert status == 200
    claims = jwt.decode(call["token"], SECRET, algorithms=["HS256"])
    assert claims["iss"] == KEY
    assert claims["video"] == {
        "roomJoin": True,
        "room": call["room"],
        "canSubscribe": True,
        "canPublish": True,
        "canPublishSources": ["microphone"],
        "canPublishData": True,
        "canUpdateOwnMetadata": False,
    }
    assert [agent["agentName"] for agent in claims["roomConfig"]["agents"]] == ["desk"]
    assert 0 < claims["exp"] - time.time() <= 120
    assert call["room"] != other["room"]
    assert claims["sub"] != jwt.decode(other["token"], SECRET, algorithms=["HS256"])["sub"]


async def test_the_token_does_not_verify_with_another_secret(alone: WebOptions) -> None:
    async with client(alone) as http:
        _, call = await answer(http, "POST", "/api/calls", json={})
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(call["token"], "some-other-secret-of-a-fair-length", algorithms=["HS256"])


@pytest.mark.parametrize(
    ("request_host", "public_url", "expected"),
    [
        ("127.0.0.1:8080", None, "ws://127.0.0.1:7880"),
        ("clinic.lan", None, "ws://clinic.lan:7880"),
        ("[::1]:8080", None, "ws://[::1]:7880"),
        ("127.0.0.1:8080", "wss://media.clinic.lan", "wss://media.clinic.lan"),
    ],
)
async def test_the_browser_is_sent_to_livekit_where_it_can_reach_it(
    alone: WebOptions, request_host: str, public_url: str | None, expected: str
) -> None:
    async with client(replace(alone, livekit_public_url=public_url)) as http:
        _, call = await answer(http, "POST", "/api/calls", json={}, headers={"Host": request_host})
    assert call["url"].rstrip("/") == expected


async def test_a_malformed_host_is_refused_and_reaches_no_header(alone: WebOptions) -> None:
    async with client(alone) as http:
        response = await fetch(http, "POST", "/api/calls", json={}, headers={"Host": "x; script-src *"})
        assert response.status == 400
        assert "x;" not in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("request_arguments", "status", "sentence"),
    [
        ({"data": "{}"}, 415, "Send the request as application/json."),
        ({"data": "{", "headers": {"Content-Type": "application/json"}}, 400, "The request is not valid JSON."),
        ({"json": {"room": "of-somebody-else"}}, 400, "The request takes no options. Send {}."),
        ({"json": {"a": "a" * 5000}}, 413, "The request is too large."),
    ],
)
async def test_a_wrong_request_gets_a_sentence(
    alone: WebOptions, request_arguments: dict[str, Any], status: int, sentence: str
) -> None:
    async with client(alone) as http:
        assert await answer(http, "POST", "/api/calls", **request_arguments) == (status, {"error": sentence})


async def test_unknown_addresses_and_methods_get_a_sentence(alone: WebOptions) -> None:
    async with client(alone) as http:
        assert await answer(http, "GET", "/nothing") == (404, {"error": "This page does not exist."})
        refused = await fetch(http, "GET", "/api/calls")
        assert refused.status == 405
        assert refused.headers["Allow"] == "POST"
        assert (await fetch(http, "GET", "/static/../server.py")).status == 404


async def test_an_address_that_calls_too_often_is_told_to_wait(alone: WebOptions) -> None:
    async with client(replace(alone, calls_per_second=0.001, calls_burst=2)) as http:
        statuses = [(await fetch(http, "POST", "/api/calls", json={})).status for _ in range(3)]
    assert statuses == [200, 200, 429]


@pytest.mark.parametrize(
    ("status", "body", "sentence", "busy"),
    [
        (503, {"ready": False}, "The agent is still warming up. Please try again in a moment.", False),
        (200, {"ready": True, "lines": 2, "lines_busy": 2}, "All lines are busy. Please try again in a moment.", True),
        (503, ["not an object"], "The agent is still warming up. Please try again in a moment.", False),
    ],
)
async def test_a_call_that_the_worker_cannot_take_is_refused(
    alone: WebOptions, status: int, body: Any, sentence: str, busy: bool
) -> None:
    async with worker(status, body) as worker_url, client(replace(alone, worker_url=worker_url)) as http:
        assert await answer(http, "POST", "/api/calls", json={}) == (503, {"error": sentence})
        _, told = await answer(http, "GET", "/api/status")
    assert (told["ready"], told["busy"], told["message"]) == (False, busy, sentence)


async def test_a_missing_worker_is_named(alone: WebOptions) -> None:
    async with client(replace(alone, worker_url=f"http://127.0.0.1:{free_port()}")) as http:
        status, body = await answer(http, "POST", "/api/calls", json={})
    assert status == 503
    assert body["error"].startswith("The agent is not running on this box.")


async def test_status_reports_the_workers_profile_and_lines(alone: WebOptions) -> None:
    body = {"ready": True, "profile": "cpu", "lines": 4, "lines_busy": 1}
    async with worker(200, body) as worker_url, client(replace(alone, worker_url=worker_url)) as http:
        _, told = await answer(http, "GET", "/api/status")
        assert (await fetch(http, "POST", "/api/calls", json={})).status == 200
    assert told == {
        "ready": True,
        "busy": False,
        "message": None,
        "profile": "cpu",
        "lines": 4,
        "lines_busy": 1,
        "examples": [],
    }


async def test_only_the_demo_profile_offers_examples(alone: WebOptions) -> None:
    async with client(replace(alone, examples=("say this",))) as http:
        _, told = await answer(http, "GET", "/api/status")
    assert told["examples"] == ["say this"]


@pytest.mark.parametrize("path", ["/", "/static/app.js", "/api/status", "/nothing"])
async def test_every_response_lets_the_page_reach_only_this_box(alone: WebOptions, path: str) -> None:
    async with client(alone) as http:
        headers = (await fetch(http, "GET", path)).headers
    policy = dict(rule.split(" ", 1) for rule in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["connect-src"] == "'self' ws://127.0.0.1:7880 http://127.0.0.1:7880"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == ("no-cache" if path.startswith("/static/") else "no-store")


async def test_healthz_answers_without_a_worker(alone: WebOptions) -> None:
    async with client(replace(alone, worker_url=f"http://127.0.0.1:{free_port()}")) as http:
        assert await answer(http, "GET", "/healthz") == (200, {"status": "ok"})


def test_a_taken_port_is_named(alone: WebOptions) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"Cannot listen on 127\.0\.0\.1:{port} .*network\.web_port"):
            run_web(replace(alone, port=port))


def test_half_a_certificate_is_refused(alone: WebOptions, tmp_path: Any) -> None:
    with pytest.raises(ConfigError, match="needs both"):
        run_web(replace(alone, tls_cert=tmp_path / "cert.pem"))
    with pytest.raises(ConfigError, match="Cannot use the certificate"):
        run_web(replace(alone, tls_cert=tmp_path / "cert.pem", tls_key=tmp_path / "key.pem"))


def test_the_secret_is_not_shown(alone: WebOptions) -> None:
    assert SECRET not in repr(alone)
