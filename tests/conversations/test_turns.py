"""When the agent answers (after a turn, never into one), and what becomes of the replies it prepared."""

import pytest

from agent.replies.speculation import DROP_AFTER_S
from agent.turns.turn_end import WORDS_TIMEOUT_S
from serving.chat import Priority
from tests.conversations.talk import PARKING, Remembered, Talk, conversation, now
from tests.virtual_room import FRAME_S
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.conversation


def exchange(*texts: str) -> list[Remembered]:
    """The history of a call in which caller and agent alternated after the greeting."""
    roles = ("user", "assistant")
    return [
        Remembered("assistant", "welcome to the clinic"),
        *(Remembered(roles[at % 2], text) for at, text in enumerate(texts)),
    ]


def last_words(talk: Talk) -> list[str]:
    """The last message of each request to the language model."""
    return [reply.request.messages[-1].text for reply in talk.replies]


@in_virtual_time
async def test_a_turn_that_sounds_finished_is_answered_at_the_shortest_delay() -> None:
    async with conversation() as talk:
        line = talk.say("where can i park")
        await talk.quiet()
        assert talk.agent_spoke_at(line.start) == pytest.approx(line.end + 0.3)
        assert talk.history == exchange("where can i park", PARKING)
        assert talk.heard_text(since=line.start) == PARKING


@in_virtual_time
async def test_a_turn_that_sounds_unfinished_is_answered_at_the_longest_delay() -> None:
    async with conversation() as talk:
        line = talk.say("where can i", ends_turn=False)
        await talk.quiet(4)
        assert talk.agent_spoke_at(line.start) == pytest.approx(line.end + 2.0)
        assert talk.history == exchange("where can i", PARKING)


@in_virtual_time
async def test_the_delays_are_settings() -> None:
    async with conversation(turns={"endpointing": {"min_delay_s": 0.45, "max_delay_s": 2.0}}) as talk:
        first = talk.say("where can i park")
        await talk.quiet()
        second = talk.say("and my", ends_turn=False)
        await talk.quiet(4)
        assert talk.agent_spoke_at(first.start) == pytest.approx(first.end + 0.45)
        assert talk.agent_spoke_at(second.start) == pytest.approx(second.end + 2.0)


@in_virtual_time
async def test_the_reply_started_in_the_pause_is_the_one_spoken() -> None:
    async with conversation() as talk:
        line = talk.say("where can i park")
        await talk.quiet()
        (reply,) = talk.replies
        assert reply.request.priority is Priority.SPECULATIVE
        # 64 ms of silence, then a decode of 50 ms
        assert reply.opened_at == pytest.approx(line.end + 0.114)
        assert reply.is_complete


@in_virtual_time
async def test_without_speculation_the_model_is_asked_when_the_turn_is_over() -> None:
    async with conversation(turns={"speculation": {"max_per_turn": 0}}) as talk:
        line = talk.say("where can i park")
        await talk.quiet()
        (reply,) = talk.replies
        assert reply.request.priority is Priority.CONFIRMED
        assert reply.opened_at == pytest.approx(line.end + 0.3)


@pytest.mark.parametrize("pause_s", [0.16, 0.224, 0.288, 0.64, 0.96])
@in_virtual_time
async def test_a_pause_within_a_sentence_is_not_cut_into(pause_s: float) -> None:
    async with conversation() as talk:
        first = talk.say("i would like to", ends_turn=False)
        second = talk.say("book a visit", at=first.end + pause_s)
        await talk.quiet()
        assert second.start == pytest.approx(first.end + pause_s)
        assert talk.agent_spoke_at(first.start) == pytest.approx(second.end + 0.3)
        assert talk.history == exchange("i would like to book a visit", PARKING)
        assert last_words(talk) == ["i would like to", "i would like to book a visit"]


@in_virtual_time
async def test_a_reply_to_half_a_sentence_is_thrown_away_unspoken() -> None:
    async with conversation() as talk:
        first = talk.say("i would like to", ends_turn=False)
        second = talk.say("book a visit", at=first.end + 0.64)
        await talk.quiet()
        thrown_away, spoken = talk.replies
        assert thrown_away.closed_at is not None
        assert thrown_away.closed_at < second.end + 0.3
        assert spoken.is_complete
        assert talk.heard_text(since=first.start) == PARKING


@in_virtual_time
async def test_a_reply_still_being_computed_is_stopped_when_the_caller_continues() -> None:
    async with conversation() as talk:
        talk.llm.token_s = 0.3  # a slow model: 5 s for the whole reply
        first = talk.say("i would like to", ends_turn=False)
        second = talk.say("book a visit to the doctor", at=first.end + 0.64)
        await talk.quiet(8)
        thrown_away, spoken = talk.replies
        assert thrown_away.closed_at is not None
        # when the VAD has heard the caller for 64 ms, and then for DROP_AFTER_S
        assert thrown_away.closed_at == pytest.approx(second.start + 0.064 + DROP_AFTER_S, abs=FRAME_S)
        computed = len(thrown_away.sent)
        assert computed < len(PARKING.split())
        assert not thrown_away.is_complete
        assert spoken.is_complete


@in_virtual_time
async def test_a_turn_of_many_pauses_is_one_message_and_one_answer() -> None:
    async with conversation() as talk:
        at, words = 0.0, ["i would", "like to book", "a visit", "with doctor chen", "on tuesday", "please"]
        for part in words:
            line = talk.say(part, at=at, ends_turn=part == "please")
            at = line.end + 0.48
        await talk.quiet()
        assert talk.history == exchange(" ".join(words), PARKING)
        # the third reply of a turn, the last that may start early, waits for a pause that sounds like an end
        assert last_words(talk) == ["i would", "i would like to book", " ".join(words)]
        assert line.end + 0.224 < talk.replies[-1].opened_at < line.end + 0.3
        assert talk.agent_spoke_at(line.end) == pytest.approx(line.end + 0.3, abs=0.1)


@in_virtual_time
async def test_turns_follow_each_other() -> None:
    async with conversation() as talk:
        for text in ("where can i park", "when are you open", "thank you"):
            line = talk.say(text)
            await talk.quiet()
            assert talk.agent_spoke_at(line.start) == pytest.approx(line.end + 0.3)
        assert talk.history == exchange("where can i park", PARKING, "when are you open", PARKING, "thank you", PARKING)
        assert len(talk.replies) == 3


@in_virtual_time
async def test_a_failing_end_of_turn_engine_leaves_the_decision_to_silence() -> None:
    async with conversation() as talk:
        talk.turn.is_dead = True
        line = talk.say("where can i park")
        await talk.quiet()
        assert talk.agent_spoke_at(line.start) == pytest.approx(line.end + 1.0)


@in_virtual_time
async def test_a_late_end_of_turn_engine_is_not_waited_for() -> None:
    async with conversation() as talk:
        talk.turn.inference_s = 5.0
        line = talk.say("where can i park")
        await talk.quiet()
        assert talk.agent_spoke_at(line.start) == pytest.approx(line.end + 1.0)


@in_virtual_time
async def test_a_slow_decode_delays_the_answer_and_loses_nothing() -> None:
    async with conversation() as talk:
        talk.stt.decode_s = 1.0
        line = talk.say("where can i park")
        await talk.quiet()
        assert talk.agent_spoke_at(line.start) > line.end + 1.064
        assert talk.history == exchange("where can i park", PARKING)


@pytest.mark.parametrize("decode_s", [0.05, 0.2, 0.3, 0.6, 1.0])
@in_virtual_time
async def test_half_a_sentence_is_not_answered_while_the_other_half_is_being_recognised(decode_s: float) -> None:
    async with conversation() as talk:
        talk.stt.decode_s = decode_s
        first = talk.say("i would like to", ends_turn=False)
        second = talk.say("book a visit", at=first.end + 0.64)
        await talk.quiet()
        assert talk.history == exchange("i would like to book a visit", PARKING)
        assert talk.heard_text(since=first.start) == PARKING
        # 64 ms of silence, then the decode; or the minimum delay, if that is later
        assert talk.agent_spoke_at(first.start) == pytest.approx(second.end + max(0.3, 0.064 + decode_s), abs=0.12)


@in_virtual_time
async def test_words_that_never_come_are_not_waited_for_much_longer() -> None:
    async with conversation() as talk:
        first = talk.say("i would like to", ends_turn=False)
        second = talk.say("book a visit", at=first.end + 0.64)
        await talk.until(lambda: now() >= second.start)
        talk.stt.decode_s = 30.0
        await talk.quiet(4)
        assert talk.agent_spoke_at(first.start) == pytest.approx(second.end + WORDS_TIMEOUT_S, abs=0.1)


@in_virtual_time
async def test_the_caller_can_barge_in_on_the_greeting() -> None:
    async with conversation(greeted=False) as talk:
        talk.say("hello i need an appointment", at=now() + 0.4)
        await talk.quiet()
        greeting = talk.history[0]
        assert greeting.interrupted
        assert "welcome to the clinic".startswith(greeting.text)
        assert talk.history[1:] == exchange("hello i need an appointment", PARKING)[1:]
