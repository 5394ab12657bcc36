"""What the caller hears when an engine dies during a call."""

import pytest

from agent.call.events import EndReason
from serving.chat import Priority, ToolCall
from tests.conversations.talk import PARKING, PHRASES, Remembered, Talk, always, by_words, conversation, now
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.conversation

APOLOGY, GOODBYE = PHRASES["technical_apology"], PHRASES["technical_goodbye"]
SOON_S = 3.0
"""The caller hears something within this time after their last word."""


async def ask(talk: Talk) -> tuple[str, float]:
    """Ask something and wait. Returns what was heard, and how long after the last word it began."""
    line = talk.say("where can i park")
    await talk.quiet(3.5)
    heard = talk.heard(since=line.end)
    return talk.heard_text(since=line.end), heard[0].at - line.end if heard else float("inf")


@pytest.mark.parametrize("stage", ["llm", "tts"])
@in_virtual_time
async def test_a_dead_engine_brings_an_apology_and_the_next_turn_works(stage: str) -> None:
    async with conversation() as talk:
        getattr(talk, stage).is_dead = True
        heard, after_s = await ask(talk)
        assert (heard, talk.engine_failures > 0) == (APOLOGY, True)
        assert after_s < SOON_S
        getattr(talk, stage).is_dead = False
        heard, after_s = await ask(talk)
        assert heard == PARKING
        assert after_s == pytest.approx(0.3)


@pytest.mark.parametrize("stage", ["llm", "tts"])
@in_virtual_time
async def test_a_failure_of_a_discarded_reply_goes_unnoticed(stage: str) -> None:
    async with conversation() as talk:
        engine = getattr(talk, stage)
        engine.dies_at.append(engine.tasks + 1)
        heard, after_s = await ask(talk)
        assert heard == PARKING
        assert [reply.request.priority for reply in talk.replies] == [Priority.SPECULATIVE, Priority.CONFIRMED]
        assert after_s < 0.5


@in_virtual_time
async def test_a_tts_that_cannot_be_opened_brings_an_apology() -> None:
    async with conversation() as talk:
        talk.tts.fails_to_open = 2  # for the preemptive reply and for the real one
        heard, after_s = await ask(talk)
        assert heard == APOLOGY
        assert after_s < SOON_S
        assert (await ask(talk))[0] == PARKING


@in_virtual_time
async def test_a_tts_that_dies_in_mid_reply_leaves_the_spoken_words_in_the_history() -> None:
    text = "you can park behind the building. the lab is on the second floor. we are open today. come and see us."
    async with conversation(always(text)) as talk:
        talk.tts.piece_s = 0.5
        talk.tts.dies_at.append(talk.tts.tasks + 3)  # the third sentence, while the first is being heard
        heard, _ = await ask(talk)
        said = heard.removesuffix(APOLOGY).strip()
        assert text.startswith(said)
        assert said != text
        assert talk.history[2] == Remembered("assistant", said, interrupted=True)
        assert heard.endswith(APOLOGY)


@pytest.mark.parametrize("stage", ["llm", "tts"])
@in_virtual_time
async def test_the_third_apology_is_a_goodbye_and_the_end(stage: str) -> None:
    async with conversation() as talk:
        getattr(talk, stage).is_dead = True
        heard = [await ask(talk) for _ in range(3)]
        assert [text for text, _ in heard] == [APOLOGY, APOLOGY, GOODBYE]
        assert all(after_s < SOON_S for _, after_s in heard)
        assert talk.hung_up_at is not None
        assert talk.session.end_reason is EndReason.FAILED
        await talk.until(talk.session.ended.is_set)


@in_virtual_time
async def test_a_model_that_dies_after_a_tool_brings_an_apology_and_the_tool_is_remembered() -> None:
    refill = ToolCall("call_1", "request_refill", '{"name": "James Wilson", "medication": "metformin"}')
    async with conversation(by_words({"a refill please": refill})) as talk:
        talk.llm.dies_at.append(talk.llm.tasks + 2)
        line = talk.say("a refill please")
        await talk.quiet(3.5)
        assert talk.heard_text(since=line.end) == APOLOGY
        assert talk.agent_spoke_at(line.end) < line.end + SOON_S
        assert (await ask(talk))[0] == PARKING
        assert [call.name for call in talk.tool_calls()] == ["request_refill"]
        assert [message.role for message in talk.replies[-1].request.messages].count("tool") == 1


@in_virtual_time
async def test_a_failure_on_typed_words_brings_an_apology_too() -> None:
    async with conversation() as talk:
        talk.make_noise(0.2)  # the turn stays open
        await talk.quiet()
        talk.llm.is_dead = True
        typed_at = now()
        talk.session.livekit.generate_reply(user_input="where can i park")
        await talk.quiet(3.5)
        assert talk.heard_text(since=typed_at) == APOLOGY
        assert talk.agent_spoke_at(typed_at) < typed_at + SOON_S


@in_virtual_time
async def test_a_model_that_fails_in_every_pause_still_brings_an_apology() -> None:
    async with conversation() as talk:
        talk.llm.is_dead = True
        at = 0.0
        for part in ("i would", "like to book", "a visit", "with doctor chen", "on tuesday"):
            line = talk.say(part, at=at, ends_turn=False)
            at = line.end + 0.64
        last = talk.say("please", at=at)
        await talk.quiet(3.5)
        assert talk.heard_text(since=last.end) == APOLOGY
        assert not talk.session.ended.is_set()


@in_virtual_time
async def test_recognition_that_dies_in_mid_line_resumes() -> None:
    async with conversation() as talk:
        talk.stt.dies_at.append(talk.stt.tasks + 1)
        line = talk.say("hello there can you tell me where can i park")
        await talk.quiet(3.5)
        assert talk.stt.opened == 2
        assert talk.heard_text(since=line.end) == PARKING
        assert talk.history[1].text.endswith("where can i park")


@in_virtual_time
async def test_recognition_that_dies_at_the_last_decode_gets_the_line_replayed() -> None:
    async with conversation() as talk:
        line = talk.say("where can i park")
        await talk.until(lambda: not talk.microphone.is_playing)
        talk.stt.dies_at.append(talk.stt.tasks + 1)
        await talk.quiet(3.5)
        assert talk.heard_text(since=line.end) == PARKING
        assert talk.agent_spoke_at(line.end) < line.end + SOON_S


@in_virtual_time
async def test_recognition_that_loses_a_line_and_recovers_too_late_brings_an_apology() -> None:
    async with conversation() as talk:
        line = talk.say("where can i park")
        await talk.until(lambda: not talk.microphone.is_playing)
        talk.stt.is_dead = True
        await talk.until(lambda: talk.heard(since=line.end))
        talk.stt.is_dead = False
        assert talk.agent_spoke_at(line.end) < line.end + SOON_S
        await talk.quiet(3.5)
        assert talk.heard_text(since=line.end).startswith(APOLOGY)
        assert (await ask(talk))[0] == PARKING


@in_virtual_time
async def test_recognition_that_dies_in_silence_is_not_mentioned() -> None:
    async with conversation() as talk:
        talk.make_noise(0.2)  # a decode without words, which fails
        talk.stt.dies_at.append(talk.stt.tasks + 1)
        await talk.quiet(5)
        heard, after_s = await ask(talk)
        assert heard == PARKING
        assert after_s == pytest.approx(0.3)


@in_virtual_time
async def test_a_recognition_outage_of_seconds_does_not_end_the_call() -> None:
    async with conversation() as talk:
        talk.stt.is_dead = True
        heard, after_s = await ask(talk)
        assert heard.startswith(APOLOGY)
        assert after_s < SOON_S
        await talk.quiet(6)
        talk.stt.is_dead = False
        await talk.quiet(3)
        assert (await ask(talk))[0] == PARKING


@in_virtual_time
async def test_recognition_that_never_recovers_ends_the_call_with_a_goodbye() -> None:
    async with conversation() as talk:
        talk.stt.is_dead = True
        heard = []
        for _ in range(6):
            if not talk.hung_up_at:
                heard.append((await ask(talk))[0])
        assert GOODBYE in " ".join(heard)
        assert talk.session.end_reason is EndReason.FAILED


@in_virtual_time
async def test_failures_after_the_goodbye_say_nothing_more() -> None:
    async with conversation() as talk:
        talk.llm.is_dead = True
        for _ in range(3):
            await ask(talk)
        words = len(talk.heard())
        talk.say("hello")
        await talk.quiet(5)
        assert len(talk.heard()) == words
