"""A person's browser calls the real agent: the page shows both sides' words, in a headless Chromium with a microphone file."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from playwright.async_api import expect

from agent.web.options import WebOptions
from scripts.caller.clock import RATE
from scripts.caller.voice import load_voice
from tests.call.conftest import RunningBox
from tests.web.conftest import OpenPage, browser_program, open_page, options, serve_web, watch

__all__ = ["browser_program", "open_page", "options"]

pytestmark = pytest.mark.call

MICROPHONE_RATE = 48_000
GREETING_S = 9.0
"""Silence before the question, for the browser to join and the agent to greet the caller."""


@pytest.fixture(scope="session")
def microphone_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A question after the greeting, then silence; played once."""
    line = load_voice("rms").line("where can i park").samples
    silence = np.zeros(int(GREETING_S * RATE), np.int16)
    sound = np.concatenate([silence, line, np.zeros(120 * RATE, np.int16)])
    path = tmp_path_factory.mktemp("caller") / "question.wav"
    soundfile.write(path, soxr.resample(sound, RATE, MICROPHONE_RATE), MICROPHONE_RATE, subtype="PCM_16")
    return Path(f"{path}%noloop")


async def test_the_page_shows_both_sides_words_and_the_turns_latency(
    box: RunningBox, options: WebOptions, open_page: OpenPage
) -> None:
    async with (
        serve_web(replace(options, worker_url=box.ops_url, agent_name=box.agent_name)) as url,
        open_page(url) as page,
    ):
        problems = watch(page, allowed=(url, box.server.url))
        await page.get_by_test_id("call").click()
        await expect(page.get_by_test_id("words-agent").first).to_have_text(
            "Hello, this is Riverside Clinic. How can I help you?", timeout=30_000
        )

        await expect(page.get_by_test_id("words-caller").first).to_have_text("where can i park", timeout=30_000)
        await expect(page.get_by_test_id("words-agent").nth(1)).to_contain_text(
            "There is free parking behind the building.", timeout=30_000
        )
        await expect(page.get_by_test_id("turn").first).to_contain_text("ms", timeout=30_000)

        await page.get_by_test_id("message").fill("Are you open on Sunday?")
        await page.get_by_test_id("message").press("Enter")
        await expect(page.get_by_test_id("words-agent").nth(2)).to_contain_text("Sunday", timeout=30_000)
        await page.get_by_test_id("call").click()
        assert problems == []
