"""What the language model prefills while the caller is still speaking: always a prefix of the later request."""

import pytest

from serving.chat import ChatRequest
from tests.conversations.talk import conversation
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.conversation

LONG = "i would like to book an appointment with doctor chen on tuesday next week because my head hurts a lot"


def begins(prefilled: ChatRequest, asked: ChatRequest) -> bool:
    """Whether the requested prompt continues the prefilled one, perhaps within its last message."""
    *before, last = prefilled.messages
    if asked.messages[: len(before)] != tuple(before):
        return False
    answer_to = asked.messages[len(before)]
    return answer_to.role == last.role and answer_to.text.startswith(last.text)


@in_virtual_time
async def test_a_long_turn_is_prefilled_in_pieces_while_it_is_spoken() -> None:
    async with conversation() as talk:
        line = talk.say(LONG)
        await talk.until(lambda: len(talk.replies) > 0)
        prefilled = list(talk.llm.prefilled)
        await talk.quiet(1.0)
        assert line.end > 5
        assert len(prefilled) >= 3
        assert all(begins(request, talk.replies[-1].request) for request in prefilled)
        lengths = [len(request.messages[-1].text) for request in prefilled if request.messages[-1].role == "user"]
        assert lengths == sorted(lengths)
        assert lengths[-1] > len(LONG) / 2
        assert {repr(request.tools) for request in prefilled} == {repr(talk.replies[-1].request.tools)}


@in_virtual_time
async def test_the_call_so_far_is_prefilled_as_soon_as_the_caller_speaks() -> None:
    async with conversation() as talk:
        talk.say("where can i park")
        await talk.until(lambda: len(talk.replies) > 0)
        await talk.quiet(1.0)
        before = len(talk.llm.prefilled)
        talk.say("and when are you open")
        await talk.until(lambda: len(talk.llm.prefilled) > before)
        first = talk.llm.prefilled[before]
        assert first.messages[-1].role == "assistant"
        await talk.quiet(1.0)
        assert talk.replies[-1].request.messages[: len(first.messages)] == first.messages


@in_virtual_time
async def test_after_a_pause_within_a_turn_its_earlier_words_are_read_too() -> None:
    async with conversation() as talk:
        line = talk.say("i would like to book an appointment please", ends_turn=False)
        talk.say("with doctor chen on tuesday next week in the morning", at=line.end + 0.6)
        await talk.until(lambda: any("doctor chen" in request.messages[-1].text for request in talk.llm.prefilled))
        request = next(request for request in talk.llm.prefilled if "doctor chen" in request.messages[-1].text)
        assert request.messages[-1].text.startswith("i would like to book an appointment please")
        await talk.quiet(1.0)
        assert begins(request, talk.replies[-1].request)


@in_virtual_time
async def test_no_prompt_is_built_for_an_engine_that_cannot_prefill() -> None:
    async with conversation() as talk:
        talk.llm.reads_ahead = False
        talk.say("where can i park")
        await talk.until(lambda: len(talk.replies) > 0)
        await talk.quiet(1.0)
        assert talk.llm.prefilled == []


@in_virtual_time
async def test_a_failing_prefill_goes_unnoticed() -> None:
    async with conversation() as talk:
        talk.llm.is_dead = True
        talk.say(LONG)
        await talk.until(lambda: len(talk.llm.prefilled) > 1)
        talk.llm.is_dead = False
        await talk.quiet(1.0)
        assert talk.history[-1].role == "assistant"
