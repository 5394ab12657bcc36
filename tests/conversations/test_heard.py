"""What the history keeps of an interrupted reply: what the caller heard of it, whatever else was going on."""

import json

import pytest

from serving.chat import TextDelta, ToolCall
from tests.conversations.talk import PARKING, Remembered, Talk, conversation, now
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.conversation

REFILL = ToolCall("call_1", "request_refill", json.dumps({"name": "James Wilson", "medication": "metformin"}))
BEFORE = "one moment please while i look that up in our book for you."
AFTER = "it is on its way and the pharmacy will call you when it is ready"


def remembered(talk: Talk) -> list[str]:
    """Each of the agent's messages since the greeting."""
    return [message.text for message in talk.history[1:] if message.role == "assistant"]


@pytest.mark.parametrize("cut_s", [0.05, 0.2, 0.9, 1.7, 2.6])
@in_virtual_time
async def test_interrupted_words_before_a_tool_call(cut_s: float) -> None:
    def answer(request: object) -> list[TextDelta | ToolCall]:
        has_run = talk.replies[-1].request.messages[-1].role == "tool"
        return [TextDelta(AFTER)] if has_run else [TextDelta(BEFORE), REFILL]

    async with conversation(answer) as talk:
        line = talk.say("a refill please")
        await talk.until(lambda: talk.heard(since=line.start))
        began = talk.agent_spoke_at(line.start)
        await talk.until(lambda: now() >= began + cut_s)
        talk.session.livekit.interrupt()
        await talk.quiet()
        heard = talk.heard_text(since=line.start)
        assert remembered(talk) == ([heard] if heard else [])
        assert AFTER not in heard


@pytest.mark.parametrize("cut_s", [0.05, 0.2, 0.9, 1.7, 2.6, 4.0])
@in_virtual_time
async def test_interrupted_words_after_a_tool_call(cut_s: float) -> None:
    def answer(request: object) -> list[TextDelta | ToolCall]:
        has_run = talk.replies[-1].request.messages[-1].role == "tool"
        return [TextDelta(AFTER)] if has_run else [TextDelta(BEFORE), REFILL]

    async with conversation(answer) as talk:
        line = talk.say("a refill please")
        await talk.until(lambda: talk.tool_calls() and talk.heard(since=line.start)[-1].text == "it")
        begun = talk.heard(since=line.start)[-1].at
        await talk.until(lambda: now() >= begun + cut_s)
        talk.session.livekit.interrupt()
        await talk.quiet()
        after = talk.heard_text(since=begun)
        assert remembered(talk) == [BEFORE, after] if after else [BEFORE]
        assert len(talk.tool_calls()) == 1


@in_virtual_time
async def test_a_reply_cut_in_its_first_word_leaves_the_callers_words_and_nothing_else() -> None:
    async with conversation() as talk:
        line = talk.say("where can i park")
        await talk.until(lambda: talk.heard(since=line.start))
        talk.session.livekit.interrupt()
        await talk.quiet()
        assert talk.heard_text(since=line.start) == ""
        assert talk.history[1:] == [Remembered("user", "where can i park")]
        again = talk.say("and the bus")
        await talk.quiet()
        assert talk.heard_text(since=again.start) == PARKING
        roles = [message.role for message in talk.replies[-1].request.messages]
        assert roles[-2:] == ["user", "user"]


@pytest.mark.parametrize("cut_s", [0.1, 0.5, 1.4, 2.3])
@in_virtual_time
async def test_a_reply_paused_by_noise_and_then_interrupted(cut_s: float) -> None:
    async with conversation() as talk:
        line = talk.say("where can i park")
        await talk.until(lambda: talk.heard(since=line.start))
        began = talk.agent_spoke_at(line.start)
        noise = talk.make_noise(2.4, at=began + 0.6)
        await talk.until(lambda: talk.heard(since=noise.end))
        resumed = now()
        await talk.until(lambda: now() >= resumed + cut_s)
        talk.session.livekit.interrupt()
        await talk.quiet()
        whole = {word.text: None for word in talk.heard(since=line.start) if word.share >= 0.5}
        kept = remembered(talk)[0].split()
        assert PARKING.split()[: len(kept)] == kept
        assert set(kept) == set(whole)
        assert talk.history[2].interrupted
