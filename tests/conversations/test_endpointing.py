"""Delays that follow the probability of the end, in whole conversations: callers who pause, search for words and continue."""

import random
from dataclasses import asdict

import pytest

from agent.turns.endpointing import EndpointingOptions, delay_s
from serving import metrics
from serving.speech import Asked, TurnContext
from tests.conversations.talk import PARKING, conversation, now
from tests.scripted import tokens as tokens_of
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.conversation

OPTIONS = EndpointingOptions(min_delay_s=0.3, max_delay_s=1.6, threshold_at_1s=0.4, decline=1.0)
PATIENT = {"endpointing": asdict(OPTIONS)}
SEEDS = 24


def counted(name: str, **labels: str) -> float:
    """The value of a metric."""
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.mark.parametrize("probability", [0.9, 0.65, 0.5, 0.4, 0.3, 0.05])
@in_virtual_time
async def test_the_delay_follows_the_probability(probability: float) -> None:
    async with conversation(turns=PATIENT) as talk:
        talk.turn.doubt = lambda context: probability
        line = talk.say("where can i", ends_turn=False)
        await talk.quiet()
        assert talk.agent_spoke_at(line.start) == pytest.approx(line.end + delay_s(OPTIONS, probability), abs=0.006)


@pytest.mark.parametrize("pause_s", [0.224, 0.288, 0.416, 0.64, 0.8, 0.992, 1.504])
@in_virtual_time
async def test_a_pause_that_does_not_sound_like_an_end_is_not_cut_into(pause_s: float) -> None:
    async with conversation(turns=PATIENT) as talk:
        first = talk.say("my number is five five five", ends_turn=False)
        second = talk.say("one two three", at=first.end + pause_s)
        await talk.quiet()
        assert [message.text for message in talk.history[1:]] == ["my number is five five five one two three", PARKING]
        assert talk.agent_spoke_at(first.start) == pytest.approx(second.end + 0.3)


@in_virtual_time
async def test_an_end_that_is_sure_only_after_a_while_is_answered_then() -> None:
    async with conversation(turns=PATIENT) as talk:
        talk.turn.doubt = lambda context: 0.9 if context.silence_s >= 0.5 else 0.2
        line = talk.say("where can i", ends_turn=False)
        await talk.quiet()
        assert talk.agent_spoke_at(line.start) == pytest.approx(line.end + 0.56, abs=0.07)


@in_virtual_time
async def test_a_judge_that_knows_the_words_sees_the_end_in_them() -> None:
    async with conversation(turns=PATIENT) as talk:
        talk.turn.doubt = lambda context: 0.9 if context.words.endswith("please") else 0.05
        first = talk.say("a visit on monday", ends_turn=False)
        second = talk.say("please", at=first.end + 0.8, ends_turn=False)
        await talk.quiet()
        assert talk.agent_spoke_at(first.start) == pytest.approx(second.end + 0.3)
        assert talk.turn.asked[-1].words == "a visit on monday please"


@in_virtual_time
async def test_a_judge_learns_the_callers_habits() -> None:
    """It waits for a caller who pauses for long, and not for one who does not."""

    def doubt(context: TurnContext) -> float:
        usual_s = max(context.pauses_s, default=0.0)
        return 0.05 if context.silence_s < usual_s + 0.2 else 0.95

    for pause_s in (0.32, 0.8):
        async with conversation(turns=PATIENT) as talk:
            talk.turn.doubt = lambda context: 0.05
            first = talk.say("i would like", ends_turn=False)
            talk.say("to book", at=first.end + pause_s)
            await talk.quiet()
            talk.turn.doubt = doubt
            line = talk.say("with doctor chen", ends_turn=False)
            await talk.quiet()
            assert talk.turn.asked[-1].pauses_s == pytest.approx((pause_s,))
            assert talk.agent_spoke_at(line.start) == pytest.approx(line.end + pause_s + 0.25, abs=0.08)


@in_virtual_time
async def test_a_judge_knows_what_was_asked_in_what_the_caller_heard() -> None:
    question = "thank you so that is booked what is your telephone number?"
    async with conversation(lambda request: tokens_of(question), turns=PATIENT) as talk:
        talk.say("where can i park")
        await talk.quiet()
        talk.say("five five five", ends_turn=False)
        await talk.quiet()
        assert [talk.turn.asked[0].asked, talk.turn.asked[-1].asked] == [Asked.NOTHING, Asked.DIGITS]


@in_virtual_time
async def test_a_question_that_was_talked_over_was_not_asked() -> None:
    question = "thank you so that is booked what is your telephone number?"
    async with conversation(lambda request: tokens_of(question), turns=PATIENT) as talk:
        line = talk.say("where can i park")
        await talk.until(lambda: len(talk.heard(since=line.end)) > 2)
        talk.say("no wait stop that", ends_turn=False)
        await talk.quiet()
        assert talk.turn.asked[-1].asked is Asked.NOTHING


@in_virtual_time
async def test_the_words_of_a_turn_that_was_answered_are_not_those_of_the_next() -> None:
    async with conversation(turns=PATIENT) as talk:
        talk.say("where can i park")
        await talk.quiet()
        talk.say("thank you")
        await talk.quiet()
        assert [context.words for context in talk.turn.asked] == ["where can i park", "thank you"]


@in_virtual_time
async def test_a_backchannel_into_the_answer_is_not_judged() -> None:
    async with conversation(turns=PATIENT) as talk:
        line = talk.say("where can i park")
        await talk.until(lambda: talk.heard(since=line.end))
        asked = len(talk.turn.asked)
        talk.say("mhm")
        await talk.quiet()
        assert len(talk.turn.asked) == asked
        assert talk.heard_text(since=line.start) == PARKING


@in_virtual_time
async def test_each_turns_decision_is_counted_once() -> None:
    names = ("callbox_turn_judgements_count", "callbox_end_of_turn_probability_count")
    async with conversation(turns=PATIENT) as talk:
        before = [counted(name) for name in names]
        sure, longest = (counted("callbox_turn_ends_total", decided_by=by) for by in ("judgement", "longest_delay"))
        first = talk.say("i would like", ends_turn=False)
        talk.say("to park", at=first.end + 0.64)
        await talk.quiet()
        talk.say("where can i", ends_turn=False)
        await talk.quiet(3)
        assert [counted(name) for name in names] == [count + 2 for count in before]
        assert counted("callbox_turn_ends_total", decided_by="judgement") == sure + 1
        assert counted("callbox_turn_ends_total", decided_by="longest_delay") == longest + 1


@in_virtual_time
async def test_a_call_that_ends_in_a_pause_ends_soon() -> None:
    async with conversation(turns=PATIENT) as talk:
        line = talk.say("where can i", ends_turn=False)
        await talk.until(lambda: now() > line.end + 0.4)
        began = now()
        await talk.session.livekit.aclose()
        assert now() - began < 3.0


@pytest.mark.parametrize("seed", range(SEEDS))
@in_virtual_time
async def test_no_half_sentence_is_answered_and_no_whole_one_is_left(seed: int) -> None:
    """As long as pauses are shorter than the judge's doubt allows, however slow the judge and recognition are."""
    rng = random.Random(seed)
    async with conversation(turns=PATIENT) as talk:
        talk.turn.inference_s = rng.choice([0.0, 0.02, 0.09, 0.25])
        talk.stt.decode_s = rng.choice([0.02, 0.05, 0.3, 0.6])
        doubt = rng.uniform(0.01, 0.5)
        talk.turn.doubt = lambda context: doubt * rng.random()
        patience_s = delay_s(OPTIONS, doubt)
        said: list[str] = []
        for turn in range(3):
            parts = [f"item{turn}{part}" + " word" * rng.randint(0, 3) for part in range(rng.randint(1, 4))]
            line = talk.say(parts[0], ends_turn=len(parts) == 1)
            for at, part in enumerate(parts[1:], 1):
                pause_s = rng.uniform(0.1, patience_s - 0.07)
                line = talk.say(part, at=line.end + pause_s, ends_turn=at == len(parts) - 1)
            said.append(" ".join(parts))
            await talk.quiet(2.5)
            slowest_s = max(0.3, 0.224 + 2 * talk.turn.inference_s, 0.12 + talk.stt.decode_s + talk.turn.inference_s)
            assert talk.agent_spoke_at(line.end) <= line.end + slowest_s + 0.2  # a reply that did not start early
        assert [message.text for message in talk.history[1:]] == [text for words in said for text in (words, PARKING)]
