"""The playground in a real browser, in a real room, with an agent that follows a script."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from agent.web.options import DEMO_EXAMPLES
from tests.web.conftest import Conversation

pytestmark = pytest.mark.web


async def test_captions_are_grey_until_final_and_struck_where_the_agent_was_cut(conversation: Conversation) -> None:
    page, agent = conversation.page, conversation.agent
    await agent.caption("i would like", segment="c1", caller=True)
    words = page.get_by_test_id("words-caller")
    await expect(words).to_have_text("i would like")
    await expect(words).to_have_attribute("data-final", "false")
    interim_colour = await words.evaluate("words => getComputedStyle(words).color")

    await agent.caption("i would like to book", segment="c1", caller=True, final=True)
    await expect(words).to_have_text("i would like to book")
    await expect(words).to_have_attribute("data-final", "true")
    assert await words.evaluate("words => getComputedStyle(words).color") != interim_colour

    for said in ("Of", "Of course.", "Of course. Which doctor would you"):
        await agent.caption(said, segment="a1")
        await expect(page.get_by_test_id("words-agent")).to_have_text(said)
    await agent.caption("Of course. Which", segment="a1", final=True, interrupted=True)
    await expect(page.get_by_test_id("cut")).to_have_text("interrupted")
    await expect(page.locator("del")).to_have_text(" doctor would you")
    await expect(page.get_by_test_id("announcer")).to_have_text("You: i would like to bookAgent: Of course. Which")
    assert conversation.problems == []


async def test_a_caption_that_grows_in_one_stream_is_shown_as_it_grows(conversation: Conversation) -> None:
    page, agent = conversation.page, conversation.agent
    await agent.caption_in_pieces(["We open ", "at eight ", "thirty."], segment="a1")
    words = page.get_by_test_id("words-agent")
    await expect(words).to_have_text("We open at eight thirty.")
    await expect(words).to_have_attribute("data-final", "true")


async def test_a_caption_that_ends_up_empty_leaves_no_bubble(conversation: Conversation) -> None:
    page, agent = conversation.page, conversation.agent
    await agent.caption("uh", segment="c1", caller=True)
    await expect(page.get_by_test_id("words-caller")).to_be_visible()
    await agent.caption("", segment="c1", caller=True, final=True)
    await expect(page.get_by_test_id("words-caller")).to_be_hidden()
    await expect(page.get_by_text("You", exact=True)).to_be_hidden()


async def test_the_agents_words_are_shown_as_text_and_never_as_markup(conversation: Conversation) -> None:
    page, agent = conversation.page, conversation.agent
    await agent.caption("<img src=x onerror=alert(1)> is text", segment="a1", final=True)
    await expect(page.get_by_test_id("words-agent")).to_have_text("<img src=x onerror=alert(1)> is text")


async def test_the_agents_state_is_named_and_coloured(conversation: Conversation) -> None:
    page, colours = conversation.page, set()
    for state, name in (("thinking", "Thinking"), ("speaking", "Speaking"), ("listening", "Listening")):
        await conversation.agent.set_state(state)
        await expect(page.get_by_test_id("agent-state")).to_have_text(name)
        await expect(page.get_by_test_id("stage")).to_have_attribute("data-state", state)
        colours.add(await page.locator(".orb").evaluate("orb => getComputedStyle(orb).backgroundColor"))
    assert len(colours) == 3


async def test_an_agent_whose_words_appear_is_speaking_whatever_its_last_state_was(conversation: Conversation) -> None:
    page, agent = conversation.page, conversation.agent
    await agent.set_state("thinking")
    await expect(page.get_by_test_id("agent-state")).to_have_text("Thinking")
    await agent.caption("We are", segment="a1")
    await expect(page.get_by_test_id("agent-state")).to_have_text("Speaking")


async def test_a_turns_stages_lie_on_one_line_from_the_callers_last_word(conversation: Conversation) -> None:
    page, agent = conversation.page, conversation.agent
    turn = {"transcription_delay_ms": 200, "end_of_turn_delay_ms": 300, "llm_ttft_ms": 120, "tts_ttfb_ms": 60}
    await agent.report("callbox.turn", {**turn, "turn": 1, "voice_to_voice_ms": 900, "preempted": False})
    later = page.locator("[data-testid=turn][data-turn='1']")
    await expect(later.get_by_test_id("total")).to_have_text("900 ms")
    await expect(later).to_have_attribute("data-pace", "slow")
    assert await bars(later) == {
        "transcript": (0, 200),
        "turn": (0, 300),
        "model": (300, 420),
        "voice": (420, 480),
        "total": (0, 900),
    }

    await agent.report("callbox.turn", {**turn, "turn": 2, "voice_to_voice_ms": 640, "preempted": True})
    ahead = page.locator("[data-testid=turn][data-turn='2']")
    await expect(ahead).to_have_attribute("data-pace", "fair")
    assert await bars(ahead) == {
        "transcript": (0, 200),
        "turn": (0, 300),
        "model": (200, 320),
        "voice": (320, 380),
        "total": (0, 640),
    }

    missing = {"turn": 3, "voice_to_voice_ms": 480.4, "end_of_turn_delay_ms": None, "tts_ttfb_ms": 60}
    await agent.report("callbox.turn", missing)
    sparse = page.locator("[data-testid=turn][data-turn='3']")
    await expect(sparse.get_by_test_id("total")).to_have_text("480 ms")
    await expect(sparse).to_have_attribute("data-pace", "good")
    assert set(await bars(sparse)) == {"voice", "total"}
    await expect(page.get_by_test_id("turn")).to_have_count(3)
    await expect(sparse.get_by_role("row", name="Total 480 ms")).to_be_visible()


async def test_messages_that_are_not_turns_are_ignored(conversation: Conversation) -> None:
    page, agent = conversation.page, conversation.agent
    for nonsense in ([1, 2], {"voice_to_voice_ms": 1}, {"turn": "one"}, None):
        await agent.report("callbox.turn", nonsense)
    await agent.report("callbox.tool", {"status": "no name"})
    await agent.report("callbox.turn", {"turn": 1, "voice_to_voice_ms": -5, "llm_ttft_ms": "soon"})
    await expect(page.get_by_test_id("turn")).to_have_count(1)
    await expect(page.get_by_test_id("total")).to_have_text("–")
    await expect(page.get_by_test_id("tool")).to_have_count(0)


async def test_a_tool_call_is_a_small_event_in_the_conversation(conversation: Conversation) -> None:
    await conversation.agent.report("callbox.tool", {"name": "book_appointment", "status": "booked"})
    await expect(conversation.page.get_by_test_id("tool")).to_have_text("book appointment: booked")


async def test_typed_words_reach_the_agent_and_are_the_callers(conversation: Conversation) -> None:
    page, agent = conversation.page, conversation.agent
    await page.get_by_test_id("message").fill("  i would like to book  ")
    await page.get_by_test_id("message").press("Enter")
    assert await asyncio.wait_for(agent.typed.get(), 10) == "i would like to book"
    await expect(page.get_by_test_id("words-caller")).to_have_text("i would like to book")
    await expect(page.get_by_test_id("message")).to_have_value("")
    await page.get_by_test_id("examples").get_by_role("button").first.click()
    assert await asyncio.wait_for(agent.typed.get(), 10) == DEMO_EXAMPLES[0]


async def test_the_microphone_is_heard_metered_and_muted(conversation: Conversation) -> None:
    page, agent = conversation.page, conversation.agent
    assert await agent.loudest_heard(2.0) > 1000
    await expect(page.get_by_test_id("level")).not_to_have_attribute("aria-valuenow", "0")
    await page.get_by_test_id("mute").click()
    await expect(page.get_by_test_id("mute")).to_have_attribute("aria-pressed", "true")
    await expect(page.get_by_test_id("level")).to_have_attribute("aria-valuenow", "0")
    await asyncio.sleep(0.5)
    assert await agent.loudest_heard(1.0) < 100
    await page.get_by_test_id("mute").click()
    assert await agent.loudest_heard(2.0) > 1000


async def test_the_agents_voice_is_played_at_the_chosen_volume(conversation: Conversation) -> None:
    page, agent = conversation.page, conversation.agent
    await asyncio.gather(
        agent.play_tone(1.5), until(page, "sounds.some(sound => !sound.paused && sound.currentTime > 0.2)")
    )
    await page.get_by_test_id("volume").fill("30")
    await until(page, "sounds.length > 0 && sounds.every(sound => Math.abs(sound.volume - 0.3) < 0.01)")


async def test_after_a_call_there_is_a_summary_and_a_transcript(conversation: Conversation) -> None:
    page, agent = conversation.page, conversation.agent
    await agent.caption("are you open on sunday", segment="c1", caller=True, final=True)
    await agent.caption("No, we are closed on", segment="a1")
    await agent.caption("No, we are", segment="a1", final=True, interrupted=True)
    for number, total in enumerate((400, 900, 500), start=1):
        await agent.report("callbox.turn", {"turn": number, "voice_to_voice_ms": total})
    await expect(page.get_by_test_id("turn")).to_have_count(3)
    await expect(page.get_by_test_id("cut")).to_be_visible()
    await page.get_by_test_id("call").click()
    await expect(page.get_by_test_id("agent-state")).to_have_text("Call ended")
    await expect(page.get_by_test_id("notice")).to_be_hidden()
    for figure, value in {"turns": "3", "p50": "500 ms", "slowest": "900 ms", "interruptions": "1"}.items():
        await expect(page.get_by_test_id(f"summary-{figure}")).to_have_text(value)
    async with page.expect_download() as download:
        await page.get_by_test_id("download").click()
    lines = saved(await (await download.value).path())
    assert [line.split("] ", 1)[1] for line in lines if line.startswith("[")] == [
        "Caller: are you open on sunday",
        "Agent: No, we are [interrupted]",
    ]
    assert conversation.problems == []


async def test_the_keyboard_reaches_everything_in_order(conversation: Conversation) -> None:
    page = conversation.page
    await page.get_by_test_id("mute").focus()
    reached = []
    for _ in range(12):
        reached.append(await page.evaluate("document.activeElement.id"))
        await page.keyboard.press("Tab")
    order = ["mute", "call", "caption-scroll", "message", "send", "microphone", "volume"]
    assert [name for name in reached if name in order] == order


def saved(path: Path) -> list[str]:
    """The lines of a file that the browser saved."""
    return path.read_text().splitlines()


async def until(page: Page, condition: str) -> None:
    """Waits until `condition` holds for the page's `sounds`, its audio elements."""
    async with asyncio.timeout(10):
        await page.evaluate(
            f"""async () => {{
                const holds = sounds => {condition};
                while (!holds([...document.querySelectorAll("audio")])) await new Promise(done => setTimeout(done, 50));
            }}"""
        )


async def bars(turn: Locator) -> dict[str, tuple[int, int]]:
    """Where each stage's bar begins and ends in an opened turn, in ms."""
    drawn = await turn.locator("table rect[class^=span-]").evaluate_all(
        """bars => bars.map(bar => [bar.getAttribute("class").split(" ")[0].slice(5), bar.x.baseVal.value, bar.width.baseVal.value])"""
    )
    scale = 1200 / 1000
    return {name: (round(x * scale), round((x + width) * scale)) for name, x, width in drawn}
