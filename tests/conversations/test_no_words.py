"""Sound without words while the agent is quiet."""

import pytest

from tests.conversations.talk import PARKING, Remembered, Talk, conversation
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.conversation

ASKED = Remembered("assistant", "please say it again")


async def noise_and_silence(talk: Talk, duration_s: float = 0.8) -> float:
    """Make a sound and wait. Returns the loop time at which it ended."""
    sound = talk.make_noise(duration_s)
    await talk.quiet()
    return sound.end


@in_virtual_time
async def test_the_agent_asks_to_repeat() -> None:
    async with conversation() as talk:
        ended = await noise_and_silence(talk)
        assert talk.history[1:] == [ASKED]
        # with the final, 224 ms into the silence
        assert talk.agent_spoke_at(ended) == pytest.approx(ended + 0.224, abs=0.1)
        assert talk.replies == []


@in_virtual_time
async def test_the_agent_asks_once_and_then_waits() -> None:
    async with conversation() as talk:
        for _ in range(4):
            await noise_and_silence(talk)
        assert talk.history[1:] == [ASKED]


@in_virtual_time
async def test_the_agent_asks_again_after_it_has_understood_something() -> None:
    async with conversation() as talk:
        await noise_and_silence(talk)
        talk.say("where can i park")
        await talk.quiet()
        await noise_and_silence(talk)
        await noise_and_silence(talk)
        assert talk.history[1:] == [
            ASKED,
            Remembered("user", "where can i park"),
            Remembered("assistant", PARKING),
            ASKED,
        ]


@in_virtual_time
async def test_the_callers_repetition_is_answered() -> None:
    async with conversation() as talk:
        await noise_and_silence(talk)
        line = talk.say("where can i park")
        await talk.quiet()
        assert talk.agent_spoke_at(line.start) == pytest.approx(line.end + 0.3)


@in_virtual_time
async def test_noise_while_the_agent_speaks_is_not_asked_about() -> None:
    async with conversation() as talk:
        line = talk.say("where can i park")
        await talk.until(lambda: talk.heard(since=line.start))
        talk.make_noise(0.8)
        await talk.quiet()
        assert ASKED not in talk.history


@in_virtual_time
async def test_noise_before_a_word_does_not_count_for_the_word() -> None:
    async with conversation() as talk:
        sound = talk.make_noise(0.48)
        line = talk.say("where can i park", at=sound.end + 0.096)  # one utterance to the recogniser
        await talk.quiet()
        assert talk.history[1:] == [Remembered("user", "where can i park"), Remembered("assistant", PARKING)]
        assert talk.agent_spoke_at(line.start) == pytest.approx(line.end + 0.3)


@in_virtual_time
async def test_noise_after_a_turn_neither_delays_nor_doubles_its_answer() -> None:
    async with conversation() as talk:
        line = talk.say("where can i park")
        talk.make_noise(0.32, at=line.end + 0.32)
        await talk.quiet()
        answers = [message for message in talk.history if message.role == "assistant"]
        assert [message.text for message in answers] == ["welcome to the clinic", PARKING]
        assert ASKED not in talk.history


@pytest.mark.parametrize("after_s", [0.224, 0.256, 0.288])
@in_virtual_time
async def test_noise_between_words_and_their_answer_is_not_asked_about(after_s: float) -> None:
    async with conversation() as talk:
        line = talk.say("where can i park")
        talk.make_noise(0.4, at=line.end + after_s)
        await talk.quiet()
        assert talk.history[1:] == [Remembered("user", "where can i park"), Remembered("assistant", PARKING)]


@in_virtual_time
async def test_silence_is_not_talked_into() -> None:
    async with conversation() as talk:
        await talk.quiet(300)
        assert len(talk.history) == 1
