"""The playground in a real browser, in a real room, with an agent that follows a script."""

import pytest
from playwright.async_api import expect

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
