"""Takes the playground's pictures: `python -m tests.web.picture FOLDER`. The README's is wide-light.png."""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.async_api import Page, async_playwright

from agent.web.options import WebOptions
from scripts.screenshot import FLAGS, find_browser
from tests.livekit_server import LiveKitServer, run_livekit_server
from tests.web.conftest import call, serve_web, write_tone
from tests.web.scripted_agent import ScriptedAgent

VIEWS: Mapping[str, dict[str, Any]] = {
    "wide-light": {"viewport": {"width": 1180, "height": 860}, "color_scheme": "light"},
    "wide-dark": {"viewport": {"width": 1180, "height": 860}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
}
TURN = {
    "end_of_turn_delay_ms": 304.0,
    "transcription_delay_ms": 212.0,
    "preempted": True,
    "end_of_turn_probability": 0.94,
}
TURNS = (
    {**TURN, "turn": 1, "voice_to_voice_ms": 862.0, "llm_ttft_ms": 240.0, "tts_ttfb_ms": 95.0, "preempted": False},
    {**TURN, "turn": 2, "voice_to_voice_ms": 531.0, "llm_ttft_ms": 180.0, "tts_ttfb_ms": 88.0},
    {**TURN, "turn": 3, "voice_to_voice_ms": 348.0, "llm_ttft_ms": 64.0, "tts_ttfb_ms": 41.0},
)


async def talk(agent: ScriptedAgent) -> None:
    """A short call about an appointment, with an interruption and a turn that is still being spoken."""
    await agent.caption("Hello, this is the front desk. How can I help you?", segment="a0", final=True)
    await agent.caption("i would like to book an appointment", segment="c1", final=True, caller=True)
    await agent.report("callbox.turn", TURNS[0])
    await agent.caption("Of course. Which doctor would you like to see, and on which day", segment="a1")
    await agent.caption("Of course. Which doctor would you like", segment="a1", final=True, interrupted=True)
    await agent.caption("doctor patel next tuesday", segment="c2", final=True, caller=True)
    await agent.report("callbox.tool", {"name": "check_availability", "status": "ok"})
    await agent.report("callbox.turn", TURNS[1])
    await agent.caption("Doctor Patel has half past two or four o’clock.", segment="a2", final=True)
    await agent.caption("half past two please", segment="c3", final=True, caller=True)
    await agent.report("callbox.tool", {"name": "book_appointment", "status": "booked"})
    await agent.report("callbox.turn", TURNS[2])
    await agent.caption("You are booked with Doctor Patel on Tuesday", segment="a3")
    await agent.caption("and could", segment="c4", caller=True)
    await agent.set_state("speaking")
    await asyncio.sleep(0.7)


async def take(page: Page, server: LiveKitServer, folder: Path, view: str) -> None:
    """Pictures of the page before, during and after a call."""
    await asyncio.sleep(0.5)
    await page.screenshot(path=folder / f"{view}-idle.png", full_page=True)
    agent = await call(page, server)
    await agent.set_state("listening")
    await asyncio.sleep(0.5)
    await page.screenshot(path=folder / f"{view}-listening.png")
    await talk(agent)
    await page.screenshot(path=folder / f"{view}.png", full_page=True)
    await page.get_by_test_id("call").click()
    await asyncio.sleep(0.4)
    await page.screenshot(path=folder / f"{view}-ended.png", full_page=True)
    await agent.leave()


async def main(folder: Path, tone: Path) -> None:
    """One call for each view."""
    flags = [*FLAGS, "--use-fake-ui-for-media-stream", f"--use-file-for-fake-audio-capture={tone}"]
    with run_livekit_server() as server:
        options = WebOptions(
            api_key=server.key, api_secret=server.secret, livekit_url=server.url, worker_url=None, profile="demo"
        )
        async with serve_web(options) as url, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=find_browser(), args=flags)
            for view, context in VIEWS.items():
                page = await (await browser.new_context(**context)).new_page()
                await page.goto(url)
                await take(page, server, folder, view)
            await browser.close()


if __name__ == "__main__":
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(out, write_tone(out / "microphone.wav")))
