"""What is computed for a reply before its turn is over, and what remains of it when the caller continues."""

import json
from collections.abc import Sequence
from itertools import pairwise

import pytest

from agent.adapters.captions import TOOL_TOPIC, TRANSCRIPTION_TOPIC, TURN_TOPIC
from serving import metrics
from serving.chat import Priority, ToolCall
from tests.conversations.talk import PARKING, Remembered, Talk, always, by_words, conversation, now
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.conversation

CLAUSES = ("you can park behind the building.", "it is free for all our patients.", "please bring your card with you.")
REPLY = " ".join(CLAUSES)
REFILL = ToolCall("call_1", "request_refill", json.dumps({"name": "James Wilson", "medication": "metformin"}))


def count(name: str, **labels: str) -> float:
    """A counter of the registry."""
    return metrics.REGISTRY.get_sample_value(f"callbox_{name}_total", labels) or 0.0


def figures(talk: Talk) -> list[dict[str, object]]:
    """The turn figures that the page received."""
    return [json.loads(sent.text) for sent in talk.room.sent if sent.topic == TURN_TOPIC]


def synthesized(talk: Talk) -> Sequence[str]:
    """Every clause synthesized for a reply."""
    return [piece for piece in talk.tts.spoken if piece in CLAUSES]


@in_virtual_time
async def test_only_one_clause_is_synthesized_before_the_turn_is_over() -> None:
    async with conversation(always(REPLY), turns={"endpointing": {"max_delay_s": 1.2}}) as talk:
        line = talk.say("where can i", ends_turn=False)
        await talk.until(lambda: now() >= line.end + 1.19)
        assert talk.replies[0].is_complete
        assert synthesized(talk) == [CLAUSES[0]]
        await talk.until(lambda: now() >= line.end + 1.4)
        assert synthesized(talk) == list(CLAUSES)
        await talk.quiet()
        assert talk.heard_text(since=line.start) == REPLY
        assert talk.history[1:] == [Remembered("user", "where can i"), Remembered("assistant", REPLY)]


@in_virtual_time
async def test_a_reply_held_after_its_first_clause_plays_without_a_gap() -> None:
    async with conversation(always(REPLY)) as talk:
        line = talk.say("where can i park")
        await talk.quiet()
        words = talk.heard(since=line.start)
        last_of_first, first_of_next = words[5], words[6]
        assert (last_of_first.text, first_of_next.text) == ("building.", "it")
        assert first_of_next.at - last_of_first.at == pytest.approx(0.32 + 0.2, abs=0.03)  # the word, the pause


@pytest.mark.parametrize("coughs", [False, True])
@in_virtual_time
async def test_a_long_reply_stops_at_its_token_limit_until_the_turn_is_over(coughs: bool) -> None:
    text = " ".join(f"this is part {n} of what there is to say." for n in "abcdefg")
    async with conversation(always(text), turns={"speculation": {"max_tokens_ahead": 24}}) as talk:
        line = talk.say("where can i", ends_turn=False)
        if coughs:  # harmless: nothing is being computed
            talk.make_noise(0.3, at=line.end + 0.64)
        await talk.until(lambda: now() >= line.end + 1.19)
        assert len(talk.replies[0].sent) == 24
        await talk.quiet()
        (reply,) = talk.replies
        assert reply.is_complete
        assert talk.heard_text(since=line.start) == text
        words = talk.heard(since=line.start)
        gaps = [after.at - before.at - 0.32 for before, after in pairwise(words)]
        assert max(gaps) < 0.25  # the pause between sentences


@pytest.mark.parametrize("pause_s", [0.16, 0.32, 0.64, 0.96])
@in_virtual_time
async def test_nothing_is_left_of_a_reply_when_the_caller_continues(pause_s: float) -> None:
    answers = by_words({"a refill": REFILL, "i would like": REPLY, "tool": "it is on its way"})
    async with conversation(answers) as talk:
        wasted_s = count("reply_audio_seconds", use="wasted")
        first = talk.say("i would like", ends_turn=False)
        second = talk.say("to know something", at=first.end + pause_s)
        await talk.quiet()
        assert synthesized(talk) in ([], [CLAUSES[0]])
        assert count("reply_audio_seconds", use="wasted") - wasted_s <= len(CLAUSES[0].split()) * 0.32 + 1e-6
        assert talk.history[1:] == [
            Remembered("user", "i would like to know something"),
            Remembered("assistant", PARKING),
        ]
        shown = [sent.text for sent in talk.room.sent if sent.topic == TRANSCRIPTION_TOPIC]
        assert not any(CLAUSES[0].split()[-1] in text for text in shown if not PARKING.startswith(text))
        assert len(figures(talk)) == 1
        assert TOOL_TOPIC not in {sent.topic for sent in talk.room.sent}
        assert talk.heard_text(since=second.start) == PARKING


@in_virtual_time
async def test_the_answer_comes_no_later_than_without_speculation() -> None:
    sounded: dict[int, list[float]] = {}
    for most in (0, 3):
        async with conversation(always(REPLY), turns={"speculation": {"max_per_turn": most}}) as talk:
            sounded[most] = []
            at = 0.0
            for text in ("where can i park", "when are you open"):
                line = talk.say(text, at=at)
                await talk.quiet()
                sounded[most].append(talk.agent_spoke_at(line.end) - line.end)
    assert sounded[3] == [pytest.approx(0.3), pytest.approx(0.3)]
    assert all(late > 0.4 for late in sounded[0])


@in_virtual_time
async def test_the_figures_say_how_much_sooner() -> None:
    async with conversation(always(REPLY)) as talk:
        line = talk.say("where can i park")
        await talk.quiet()
        (turn,) = figures(talk)
        assert turn["preempted"] is True
        # the first token, six more words, and 40 ms of synthesis
        assert turn["lead_time_ms"] == pytest.approx(50 + 6 * 2 + 40, abs=10)
        assert turn["voice_to_voice_ms"] == pytest.approx(300, abs=1)
        assert talk.agent_spoke_at(line.start) == pytest.approx(line.end + 0.3)


@in_virtual_time
async def test_a_busy_box_still_answers_once_the_turn_is_over() -> None:
    async with conversation(always(REPLY), turns={"speculation": {"max_load": 0.25}}) as talk:
        put_off = count("speculations_put_off", reason="load")
        with talk.demand.reply():
            line = talk.say("where can i park")
            await talk.quiet()
        assert count("speculations_put_off", reason="load") == put_off + 1
        (reply,) = talk.replies
        assert reply.request.priority is Priority.CONFIRMED
        assert reply.opened_at == pytest.approx(line.end + 0.3)
        assert talk.agent_spoke_at(line.start) < line.end + 0.5
        assert talk.heard_text(since=line.start) == REPLY
        (turn,) = figures(talk)
        assert (turn["preempted"], turn["lead_time_ms"]) == (False, None)
        assert turn["llm_ttft_ms"] == pytest.approx(50, abs=5)


@in_virtual_time
async def test_a_briefly_busy_box_starts_the_reply_once_it_is_free() -> None:
    async with conversation(always(REPLY)) as talk:
        waits = object()
        talk.demand.wait(waits)
        line = talk.say("where can i park")
        await talk.until(lambda: now() >= line.end + 0.2)
        talk.demand.answered(waits)
        await talk.quiet()
        (reply,) = talk.replies
        # at the judgement, 224 ms into the silence
        assert line.end + 0.22 < reply.opened_at < line.end + 0.29
        assert reply.request.priority is Priority.SPECULATIVE


@pytest.mark.parametrize("most", [0, 1, 2, 3])
@in_virtual_time
async def test_no_turn_has_more_early_replies_than_allowed(most: int) -> None:
    async with conversation(always(REPLY), turns={"speculation": {"max_per_turn": most}}) as talk:
        at = 0.0
        for part in ("i would", "like to book", "a visit", "with doctor chen", "please"):
            line = talk.say(part, at=at, ends_turn=part == "please")
            at = line.end + 0.48
        await talk.quiet()
        ahead = [reply for reply in talk.replies if reply.request.priority is Priority.SPECULATIVE]
        assert len(ahead) <= most
        assert talk.heard_text(since=line.start) == REPLY
        assert len(talk.history) == 3


@in_virtual_time
async def test_a_turn_that_has_wasted_its_budget_is_answered_when_it_is_over() -> None:
    limits = {"max_per_turn": 9, "max_wasted_tokens": 30, "min_probability": 0.0}
    async with conversation(always(REPLY), turns={"speculation": limits}) as talk:
        at = 0.0
        for part in ("i would", "like to book", "a visit", "please"):
            line = talk.say(part, at=at, ends_turn=part == "please")
            at = line.end + 0.48
        await talk.quiet()
        # a reply has 19 tokens, then its usage: one was thrown away complete, one once the budget was used up
        assert [len(reply.sent) for reply in talk.replies[:2]] == [20, 11]
        assert [reply.request.priority for reply in talk.replies] == [
            Priority.SPECULATIVE,
            Priority.SPECULATIVE,
            Priority.CONFIRMED,
        ]
        assert talk.heard_text(since=line.start) == REPLY


@in_virtual_time
async def test_a_cough_after_the_last_word_costs_a_complete_reply_nothing() -> None:
    async with conversation(always(REPLY), turns={"endpointing": {"max_delay_s": 1.2}}) as talk:
        line = talk.say("where can i", ends_turn=False)
        cough = talk.make_noise(0.3, at=line.end + 0.5)
        await talk.quiet()
        (reply,) = talk.replies
        assert reply.request.priority is Priority.SPECULATIVE
        assert talk.agent_spoke_at(line.end) < cough.end + 1.3
        assert talk.heard_text(since=line.start) == REPLY


@in_virtual_time
async def test_a_cough_that_stops_an_unfinished_reply_loses_no_answer() -> None:
    async with conversation(always(REPLY)) as talk:
        talk.llm.token_s = 0.2
        line = talk.say("where can i", ends_turn=False)
        talk.make_noise(0.5, at=line.end + 0.5)
        await talk.quiet(4)
        stopped, spoken = talk.replies
        assert not stopped.is_complete
        assert spoken.is_complete
        assert talk.heard_text(since=line.start) == REPLY


@in_virtual_time
async def test_noise_during_a_tool_does_not_delay_its_answer() -> None:
    answers = by_words({"a refill please": REFILL, "tool": REPLY})
    async with conversation(answers) as talk:
        line = talk.say("a refill please")
        talk.make_noise(0.2, at=line.end + 0.32)  # the turn stays open
        await talk.quiet()
        assert talk.heard_text(since=line.start) == REPLY
        assert [call.name for call in talk.tool_calls()] == ["request_refill"]
        assert talk.replies[-1].request.priority is Priority.CONFIRMED
