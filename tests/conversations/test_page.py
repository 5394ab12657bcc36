"""What the page receives during a call: captions of both sides, and each turn's figures."""

import json
from typing import Any

import pytest

from tests.conversations.talk import PARKING, Talk, conversation, now
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.conversation


def captions(talk: Talk, who: str | None) -> list[tuple[str, bool]]:
    """Texts shown for one side, each with whether it was final."""
    return [
        (sent.text, sent.is_final)
        for sent in talk.room.sent
        if "lk.segment_id" in sent.attributes and sent.identity == who
    ]


def figures(talk: Talk) -> list[dict[str, Any]]:
    """The figures published for each turn."""
    return [json.loads(sent.text) for sent in talk.room.sent if sent.topic == "callbox.turn"]


@in_virtual_time
async def test_the_callers_words_appear_while_they_speak() -> None:
    async with conversation() as talk:
        line = talk.say("i would like to know where i can park my car")
        await talk.until(lambda: now() >= line.end - 0.5)
        assert captions(talk, "caller")
        assert not any(is_final for _, is_final in captions(talk, "caller"))
        await talk.quiet()
        shown = captions(talk, "caller")
        assert shown[-1] == ("i would like to know where i can park my car", True)
        assert [is_final for _, is_final in shown].count(True) == 1


@in_virtual_time
async def test_the_agents_words_appear_with_its_voice_and_end_with_it() -> None:
    async with conversation() as talk:
        line = talk.say("where can i park")
        await talk.quiet()
        shown = [text for text, _ in captions(talk, None)]
        assert shown[-1] == PARKING
        assert captions(talk, None)[-1][1]
        assert len([text for text in shown if PARKING.startswith(text)]) > 10
        assert talk.heard_text(since=line.start) == PARKING


@in_virtual_time
async def test_the_last_caption_of_an_interrupted_reply_is_what_is_remembered() -> None:
    async with conversation() as talk:
        line = talk.say("where can i park")
        await talk.until(lambda: talk.heard(since=line.start))
        talk.say("no wait", at=now() + 1.0)
        await talk.quiet()
        cut = [sent for sent in talk.room.sent if sent.is_interrupted]
        assert [(sent.text, sent.is_final) for sent in cut] == [(talk.history[2].text, True)]


@in_virtual_time
async def test_a_backchannel_is_not_shown() -> None:
    async with conversation() as talk:
        line = talk.say("where can i park")
        await talk.until(lambda: talk.heard(since=line.start))
        talk.say("mm hmm", at=now() + 1.0)
        await talk.quiet()
        assert "mm hmm" not in [text for text, _ in captions(talk, "caller")]


@in_virtual_time
async def test_a_turns_figures_match_the_clock() -> None:
    async with conversation() as talk:
        line = talk.say("where can i park")
        await talk.quiet()
        (turn,) = figures(talk)
        assert turn["turn"] == 1
        assert turn["voice_to_voice_ms"] == pytest.approx(1000 * (talk.agent_spoke_at(line.start) - line.end), abs=1)
        assert turn["end_of_turn_delay_ms"] == pytest.approx(300, abs=1)
        assert turn["llm_ttft_ms"] == pytest.approx(50, abs=5)
        assert turn["preempted"] is True
        assert turn["end_of_turn_probability"] == 0.95


@in_virtual_time
async def test_a_turn_that_was_not_prepared_says_so() -> None:
    async with conversation(turns={"speculation": {"max_per_turn": 0}}) as talk:
        talk.say("where can i park")
        await talk.quiet()
        (turn,) = figures(talk)
        assert turn["preempted"] is False
        assert turn["voice_to_voice_ms"] > 350


@in_virtual_time
async def test_every_turn_is_published_once() -> None:
    async with conversation() as talk:
        for text in ("where can i park", "when are you open", "thank you"):
            talk.say(text)
            await talk.quiet()
        assert [turn["turn"] for turn in figures(talk)] == [1, 2, 3]


@in_virtual_time
async def test_what_the_agent_says_unprompted_is_not_a_turn() -> None:
    async with conversation() as talk:
        talk.make_noise(0.8)
        await talk.quiet()
        assert figures(talk) == []


@in_virtual_time
async def test_typed_words_are_answered_as_a_turn() -> None:
    async with conversation() as talk:
        typed_at = now()
        talk.session.livekit.generate_reply(user_input="where can i park")
        await talk.quiet()
        assert talk.heard_text(since=typed_at) == PARKING
        (turn,) = figures(talk)
        assert (turn["turn"], turn["voice_to_voice_ms"], turn["preempted"]) == (1, None, False)
        assert turn["llm_ttft_ms"] is not None
