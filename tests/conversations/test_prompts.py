"""What the language model reads over a long call: each prompt continues the one before, byte for byte."""

import json
import random
from itertools import pairwise

import pytest

from serving.chat import ChatMessage, ChatRequest, Priority, TextDelta, ToolCall
from serving.llm.chat_template import ChatTemplate
from tests.conversations.talk import PARKING, Talk, conversation, now
from tests.scripted import tokens
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.conversation

TURNS = 30
LLAMA_LIKE = (
    "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}"
    "{% if m.tool_calls %}{{ m.tool_calls | tojson }}{% endif %}<eot>{% endfor %}<assistant>"
)
"""Enough of a chat template to show every byte of a conversation."""


def answer(request: ChatRequest) -> list[TextDelta | ToolCall]:
    """A tool call when asked for one, sometimes after some words; otherwise PARKING."""
    last = request.messages[-1]
    call = ToolCall(f"call_{len(request.messages)}", "request_refill", json.dumps({"name": "James Wilson"}))
    if last.role == "tool":
        return [TextDelta("it is on its way")]
    if "refill" in last.text:
        return [TextDelta("one moment please."), call] if "both" in last.text else [call]
    return list(tokens(PARKING))


async def long_call(talk: Talk) -> None:
    """Questions, tools, interruptions and turns with pauses."""
    rng = random.Random(3)
    for turn in range(TURNS):
        text = rng.choice(["where can i park", "a refill please", "a refill and both please", "when are you open"])
        line = talk.say(f"number {turn}", ends_turn=False)
        line = talk.say(text, at=line.end + rng.choice([0.0, 0.16, 0.64]))
        await talk.until(lambda end=line.end: now() > end and talk.loudspeaker.queued_duration > 0)  # type: ignore[misc]
        if rng.random() < 0.3:
            talk.say("no wait", at=now() + rng.uniform(0.2, 3.0))
        await talk.quiet(3.0)


def spoken_prompts(talk: Talk) -> list[ChatRequest]:
    """Prompts whose replies were used: each turn's last preemptive one if it was confirmed, and those after a tool."""
    requests = [reply.request for reply in talk.replies if reply.is_complete]
    history = talk.session.livekit.history.messages()
    users = [message.text_content for message in history if message.role == "user"]
    kept: list[ChatRequest] = []
    for request in requests:
        last = request.messages[-1]
        if last.role == "tool" or last.text in users:
            if last.role == "user" and kept and kept[-1].messages[-1] == last:
                kept.pop()
            kept.append(request)
    return kept


@in_virtual_time
async def test_each_prompt_begins_with_the_one_before() -> None:
    async with conversation(answer) as talk:
        await long_call(talk)
        prompts = spoken_prompts(talk)
        assert len(prompts) > TURNS
        for sooner, later in pairwise(prompts):
            assert later.messages[: len(sooner.messages)] == sooner.messages
        assert len({repr(prompt.tools) for prompt in prompts}) == 1


@in_virtual_time
async def test_rendered_prompts_are_append_only_to_the_byte() -> None:
    template = ChatTemplate(LLAMA_LIKE, {"bos_token": "<bos>"})
    async with conversation(answer) as talk:
        await long_call(talk)
        rendered = [template.render(prompt.messages, prompt.tools) for prompt in spoken_prompts(talk)]
        for sooner, later in pairwise(rendered):
            assert later.startswith(sooner.removesuffix("<assistant>"))


@in_virtual_time
async def test_the_system_prompt_is_what_was_warmed() -> None:
    async with conversation() as talk:
        talk.say("where can i park")
        await talk.quiet()
        (warmed,) = talk.llm.warmed
        request = talk.replies[0].request
        assert warmed.messages == request.messages[:1]
        assert repr(warmed.tools) == repr(request.tools)


@in_virtual_time
async def test_a_reply_after_a_tool_counts_as_awaited() -> None:
    async with conversation(answer) as talk:
        talk.say("a refill please")
        await talk.quiet()
        assert [reply.request.priority for reply in talk.replies] == [Priority.SPECULATIVE, Priority.CONFIRMED]


@in_virtual_time
async def test_an_interrupted_reply_is_in_the_prompt_as_far_as_it_was_heard() -> None:
    async with conversation() as talk:
        line = talk.say("where can i park")
        await talk.until(lambda: talk.heard(since=line.start))
        talk.say("no wait", at=now() + 1.0)
        await talk.quiet()
        cut = talk.replies[-1].request.messages[-2]
        assert cut == ChatMessage("assistant", talk.history[2].text)
        assert PARKING.startswith(cut.text)
        assert cut.text != PARKING
