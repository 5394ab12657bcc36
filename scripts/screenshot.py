"""Take the README's screenshot of the playground, in a real call to a running Callbox.

`make run` in one terminal, `python -m scripts.screenshot` in another. The browser's microphone plays lines of a shipped
caller; every word and figure in the picture is what the box answered.
"""

import asyncio
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import soundfile
import soxr
import typer
from PIL import Image
from playwright.async_api import Page, async_playwright, expect

from scripts.command_line import new_app
from scripts.paths import CALLERS, ROOT

CALLER = CALLERS / "rms"
LINES = (
    "are_you_open_on_sunday",
    "i_would_like_to_book_an_appointment_with_doctor_chen",
    "my_name_is_anna_smith",
    "tuesday",
    "the_first_one",
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--use-fake-device-for-media-stream", "--autoplay-policy=no-user-gesture-required")
MICROPHONE_HZ = 48_000
GREETING_S = 8.0
ANSWER_S = 8.0
COLOURS = 128
app = new_app()


@app.command()
def main(
    url: Annotated[str, typer.Option(help="the page's address")] = "http://127.0.0.1:8080",
    out: Annotated[Path, typer.Option(help="the picture to write")] = ROOT / "agent" / "web" / "playground.png",
) -> None:
    """Call, talk, and take the screenshot in the middle of the last answer."""
    with TemporaryDirectory() as folder:
        microphone = write_microphone(Path(folder) / "microphone.wav")
        asyncio.run(talk(url, microphone, out))
    Image.open(out).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(out, optimize=True)
    print(f"{out}: {out.stat().st_size // 1000} kB")


def find_browser() -> str | None:
    """A Chromium on PATH; None if there is none."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def write_microphone(path: Path) -> Path:
    """The caller's side of the call: silence for the greeting, then each line and silence for its answer."""
    sound = [np.zeros(int(GREETING_S * MICROPHONE_HZ), np.float32)]
    for line in LINES:
        samples, rate = soundfile.read(CALLER / f"{line}.flac", dtype="float32")
        sound += [soxr.resample(samples, rate, MICROPHONE_HZ), np.zeros(int(ANSWER_S * MICROPHONE_HZ), np.float32)]
    soundfile.write(path, np.concatenate(sound), MICROPHONE_HZ, subtype="PCM_16")
    return path


async def talk(url: str, microphone: Path, out: Path) -> None:
    """One call in a browser of its own."""
    flags = [*FLAGS, "--use-fake-ui-for-media-stream", f"--use-file-for-fake-audio-capture={microphone}%noloop"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_browser(), args=flags)
        page = await browser.new_page(viewport={"width": 1180, "height": 960})
        await page.goto(url)
        await page.get_by_test_id("call").click()
        await until_the_last_answer(page)
        await page.screenshot(path=out)
        await page.get_by_test_id("call").click()
        await browser.close()


async def until_the_last_answer(page: Page) -> None:
    """Wait until the caller has said every line and the agent is well into its last answer."""
    timeout_ms = 1000 * (GREETING_S + len(LINES) * (ANSWER_S + 5.0))
    said = page.locator("[data-testid=words-caller][data-final=true]")
    await expect(said).to_have_count(len(LINES), timeout=timeout_ms)
    await expect(page.get_by_test_id("stage")).to_have_attribute("data-state", "speaking", timeout=10_000)
    await asyncio.sleep(1.5)


if __name__ == "__main__":
    app()
