"""The web server, a browser and an agent that follows a script."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from aiohttp import web
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from agent.web.options import WebOptions
from agent.web.server import create_app
from scripts.screenshot import FLAGS, find_browser
from tests.livekit_server import LiveKitServer, livekit_server
from tests.web.scripted_agent import ScriptedAgent

__all__ = ["livekit_server"]

LAN_NAME = "clinic.test"
"""A name that is not localhost, so that a page under it is not secure."""

expect.set_options(timeout=15_000)

OpenPage = Callable[..., AbstractAsyncContextManager[Page]]


def write_tone(path: Path) -> Path:
    """Writes what the browser's microphone hears, over and over: tones of -12 dBFS, 48 kHz mono.

    They come and go four times a second, as syllables do; the browser's noise suppression takes a steady one away.
    """
    times_s = np.arange(48_000 * 10) / 48_000
    syllables = np.sin(np.pi * 4 * times_s) ** 2
    soundfile.write(path, 0.25 * syllables * np.sin(2 * np.pi * 300 * times_s), 48_000, subtype="PCM_16")
    return path


@pytest.fixture(scope="session")
def microphone_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The microphone's sound, in a file."""
    return write_tone(tmp_path_factory.mktemp("microphone") / "tone.wav")


@pytest.fixture
def options(livekit_server: LiveKitServer) -> WebOptions:
    """Options for a web server in front of the test's livekit-server, with no worker to ask."""
    return WebOptions(
        api_key=livekit_server.key,
        api_secret=livekit_server.secret,
        livekit_url=livekit_server.url,
        worker_url=None,
        profile="demo",
    )


@asynccontextmanager
async def serve(app: web.Application, **site: Any) -> AsyncIterator[str]:
    """Serves `app` on a free port of loopback; the address without a slash at its end."""
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, **site).start()
    scheme = "https" if site.get("ssl_context") else "http"
    try:
        yield f"{scheme}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def serve_web(options: WebOptions, **site: Any) -> AsyncIterator[str]:
    """Serves the web process's application with `options`."""
    async with serve(create_app(options), **site) as url:
        yield url


@pytest.fixture(scope="session")
def browser_program() -> str:
    """A Chromium on PATH; without one (CALLBOX_BROWSER=none make test) the browser's tests are skipped."""
    program = find_browser()
    if program is None:
        pytest.skip("no Chromium on PATH: scripts/install_browser.sh installs one")
    return program


@pytest.fixture
def open_page(browser_program: str, microphone_file: Path) -> OpenPage:
    """Opens a page in a browser of its own. The browser's microphone is a file; `allow=False` denies it."""

    @asynccontextmanager
    async def opened(url: str, *, allow: bool = True, **context: Any) -> AsyncIterator[Page]:
        flags = [
            *FLAGS,
            f"--use-file-for-fake-audio-capture={microphone_file}",
            f"--host-resolver-rules=MAP {LAN_NAME} 127.0.0.1",
            *(["--use-fake-ui-for-media-stream"] if allow else []),
        ]
        async with async_playwright() as playwright, AsyncExitStack() as stack:
            browser: Browser = await playwright.chromium.launch(executable_path=browser_program, args=flags)
            stack.push_async_callback(browser.close)
            page = await (await browser.new_context(**context)).new_page()
            page.set_default_timeout(20_000)
            await page.goto(url)
            yield page

    return opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A page in a call with a scripted agent."""

    page: Page
    agent: ScriptedAgent
    problems: list[str]
    """Errors the browser wrote to its console, and requests that left the box."""


@pytest.fixture
async def conversation(
    options: WebOptions, livekit_server: LiveKitServer, open_page: OpenPage
) -> AsyncIterator[Conversation]:
    """The page has called, the agent has joined and listens."""
    async with serve_web(options) as url, open_page(url) as page:
        problems = watch(page, allowed=(url, livekit_server.url))
        agent = await call(page, livekit_server)
        await agent.set_state("listening")
        try:
            yield Conversation(page=page, agent=agent, problems=problems)
        finally:
            await agent.leave()


async def call(page: Page, server: LiveKitServer) -> ScriptedAgent:
    """Presses Call, lets a scripted agent join the room that the page was given, and waits until both are there."""
    async with page.expect_response("**/api/calls") as response:
        await page.get_by_test_id("call").click()
    room = (await (await response.value).json())["room"]
    async with asyncio.timeout(20):
        agent = await ScriptedAgent.join(server, room)
    await expect(page.locator("body")).to_have_attribute("data-phase", "live", timeout=20_000)
    return agent


def watch(page: Page, *, allowed: tuple[str, ...]) -> list[str]:
    """Collects what must not happen in the page: console errors, and traffic to anywhere but `allowed`."""
    problems: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error":
            problems.append(f"console: {message.text}")

    def asked(url: str) -> None:
        if not url.startswith((*allowed, "blob:", "data:")):
            problems.append(f"request: {url}")

    page.on("console", heard)
    page.on("pageerror", lambda error: problems.append(f"page: {error}"))
    page.on("request", lambda request: asked(request.url))
    page.on("websocket", lambda socket: asked(socket.url))
    return problems
