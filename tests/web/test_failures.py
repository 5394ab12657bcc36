"""What the page says when something is wrong, and that it goes on where it can."""

import asyncio
import ssl
import subprocess
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from livekit import api
from playwright.async_api import Page, expect

from agent.web.options import WebOptions
from tests.livekit_server import LiveKitServer, free_port, run_livekit_server
from tests.web.conftest import LAN_NAME, Conversation, OpenPage, call, serve, serve_web, watch

pytestmark = pytest.mark.web


async def expect_failure(page: Page, code: str, words: str) -> None:
    """The page shows the failure `code`, in a sentence that contains `words`."""
    notice = page.get_by_test_id("notice")
    await expect(notice).to_have_attribute("data-code", code, timeout=30_000)
    await expect(notice).to_contain_text(words)
    await expect(notice).to_be_visible()


async def expect_typing_works(page: Page, server: LiveKitServer) -> None:
    """A call without a microphone: typed words reach the agent."""
    agent = await call(page, server)
    await page.get_by_test_id("message").fill("hello")
    await page.get_by_test_id("send").click()
    assert await asyncio.wait_for(agent.typed.get(), 10) == "hello"
    await agent.leave()


async def test_a_denied_microphone_leaves_typing(
    options: WebOptions, livekit_server: LiveKitServer, open_page: OpenPage
) -> None:
    async with serve_web(options) as url, open_page(url, allow=False) as page:
        agent = await call(page, livekit_server)
        await expect_failure(page, "microphone-denied", "Allow it using the microphone or lock icon")
        await agent.leave()


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        ("NotFoundError", "microphone-missing", "No microphone was found"),
        ("NotReadableError", "microphone-in-use", "Another program is using the microphone"),
        ("AbortError", "microphone-failed", "did not start"),
    ],
)
async def test_a_microphone_that_does_not_work_leaves_typing(
    options: WebOptions, livekit_server: LiveKitServer, open_page: OpenPage, error: str, code: str, words: str
) -> None:
    async with serve_web(options) as url, open_page(url) as page:
        # A machine without a microphone answers like this; the one the test runs on may have one.
        await page.evaluate(
            "error => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', error)) }",
            error,
        )
        await expect_typing_works(page, livekit_server)
        await page.get_by_test_id("call").click()
        await page.get_by_test_id("call").click()
        await expect_failure(page, code, words)


async def test_an_insecure_page_says_how_to_get_a_microphone_and_leaves_typing(
    options: WebOptions, livekit_server: LiveKitServer, open_page: OpenPage
) -> None:
    async with serve_web(options) as url, open_page(url.replace("127.0.0.1", LAN_NAME)) as page:
        await expect_failure(page, "insecure-page", "HTTPS")
        await expect_typing_works(page, livekit_server)


async def test_a_certificate_serves_page_and_call(
    options: WebOptions, livekit_server: LiveKitServer, open_page: OpenPage, tmp_path: Path
) -> None:
    cert, key = make_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    secure = replace(options, tls_cert=cert, tls_key=key)
    async with serve_web(secure, ssl_context=context) as url:
        lan = url.replace("127.0.0.1", LAN_NAME)
        async with open_page(lan, ignore_https_errors=True) as page:
            problems = watch(page, allowed=(lan, lan.replace("https", "wss")))
            agent = await call(page, livekit_server)
            assert await agent.loudest_heard(3.0) > 500
            await page.get_by_test_id("message").fill("hello")
            await page.get_by_test_id("send").click()
            assert await asyncio.wait_for(agent.typed.get(), 10) == "hello"
            await agent.leave()
            await expect_failure(page, "agent-left", "The agent ended the call.")
            assert problems == []


async def test_a_refused_token_names_the_keys(options: WebOptions, open_page: OpenPage) -> None:
    wrong = replace(options, api_secret="another-secret-than-the-media-server-has")
    async with serve_web(wrong) as url, open_page(url) as page:
        await page.get_by_test_id("call").click()
        await expect_failure(page, "token-refused", "same key and secret")
        await expect(page.get_by_test_id("call")).to_have_text("Call")


async def test_a_missing_media_server_is_named(options: WebOptions, open_page: OpenPage) -> None:
    nobody = replace(options, livekit_url=f"ws://127.0.0.1:{free_port()}")
    async with serve_web(nobody) as url, open_page(url) as page:
        await page.get_by_test_id("call").click()
        await expect_failure(page, "media-unreachable", "Check that livekit-server is running")


async def test_no_agent_within_ten_seconds_ends_the_call(options: WebOptions, open_page: OpenPage) -> None:
    async with serve_web(options) as url, open_page(url) as page:
        await page.get_by_test_id("call").click()
        await expect(page.get_by_test_id("agent-state")).to_have_text("Ringing")
        await expect_failure(page, "agent-missing", "All lines are busy or the agent is not running.")
        await expect(page.get_by_test_id("agent-state")).to_have_text("Not connected")


async def test_a_full_box_says_so_before_and_after_the_call_button(options: WebOptions, open_page: OpenPage) -> None:
    async def readyz(_request: web.Request) -> web.Response:
        return web.json_response({"ready": True, "lines": 1, "lines_busy": 1})

    worker = web.Application()
    worker.router.add_get("/readyz", readyz)
    async with AsyncExitStack() as stack:
        worker_url = await stack.enter_async_context(serve(worker))
        url = await stack.enter_async_context(serve_web(replace(options, worker_url=worker_url)))
        page = await stack.enter_async_context(open_page(url))
        await expect(page.get_by_test_id("line")).to_have_text("All lines are busy")
        await page.get_by_test_id("call").click()
        await expect_failure(page, "call-refused", "All lines are busy. Please try again in a moment.")


async def test_a_missing_web_server_is_named(options: WebOptions, open_page: OpenPage) -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(AsyncExitStack())
        url = await server.enter_async_context(serve_web(options))
        page = await stack.enter_async_context(open_page(url))
        await server.aclose()
        await page.get_by_test_id("call").click()
        await expect_failure(page, "box-unreachable", "This box's web server does not answer.")
        await expect(page.get_by_test_id("line")).to_have_text("The web server does not answer")


async def test_hanging_up_while_it_rings_says_nothing_and_the_next_call_works(
    options: WebOptions, livekit_server: LiveKitServer, open_page: OpenPage
) -> None:
    async with serve_web(options) as url, open_page(url) as page:
        await page.get_by_test_id("call").click()
        await expect(page.get_by_test_id("agent-state")).to_have_text("Ringing")
        await page.get_by_test_id("call").click()
        await expect(page.get_by_test_id("agent-state")).to_have_text("Call ended")
        await expect(page.get_by_test_id("notice")).to_be_hidden()
        await (await call(page, livekit_server)).leave()


async def test_an_agent_that_leaves_ends_the_call(conversation: Conversation) -> None:
    await conversation.agent.leave()
    await expect_failure(conversation.page, "agent-left", "The agent ended the call.")


async def test_a_room_that_is_closed_ends_the_call(conversation: Conversation, livekit_server: LiveKitServer) -> None:
    rooms = api.LiveKitAPI(livekit_server.url, livekit_server.key, livekit_server.secret)
    await rooms.room.delete_room(api.DeleteRoomRequest(room=conversation.agent.room.name))
    await rooms.aclose()
    await expect_failure(conversation.page, "agent-left", "The agent ended the call.")


async def test_a_media_server_that_dies_is_reported_at_once_and_ends_the_call(
    options: WebOptions, open_page: OpenPage
) -> None:
    with run_livekit_server() as server:
        own = replace(options, api_key=server.key, api_secret=server.secret, livekit_url=server.url)
        async with serve_web(own) as url, open_page(url) as page:
            agent = await call(page, server)
            server.kill()
            await expect_failure(page, "reconnecting", "The connection was lost. Reconnecting")
            await expect(page.get_by_test_id("agent-state")).to_have_text("Reconnecting")
            await expect_failure(page, "connection-lost", "could not be restored")
            await agent.leave()


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for the name in the local network, signed by itself, and its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-days", "2", "-subj", f"/CN={LAN_NAME}", "-addext", f"subjectAltName=DNS:{LAN_NAME}"]
    subprocess.run([*request, *names, "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key
