"""Words, backchannels and noise over the agent's voice."""

import pytest

from tests.conversations.talk import PARKING, Remembered, Talk, conversation
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.conversation

WORDS = PARKING.split()


async def agent_speaks(talk: Talk) -> float:
    """Make the agent start to say PARKING. Returns the loop time at which it did."""
    line = talk.say("where can i park")
    await talk.until(lambda: talk.heard(since=line.start))
    return talk.agent_spoke_at(line.start)


@in_virtual_time
async def test_words_stop_the_agent_at_once_and_are_answered() -> None:
    async with conversation() as talk:
        began = await agent_speaks(talk)
        line = talk.say("no i mean the bus", at=began + 1.5)
        await talk.quiet()
        stopped = max(word.at + word.share * 0.32 for word in talk.heard(since=began) if word.at < line.end)
        # "no" has been said in full and decoded, long before the sentence is over
        assert line.start + 0.32 < stopped < line.start + 0.9
        assert talk.agent_spoke_at(line.end) == pytest.approx(line.end + 0.3)
        assert talk.history[-1] == Remembered("assistant", PARKING)
        assert talk.history[-2] == Remembered("user", "no i mean the bus")


@in_virtual_time
async def test_an_interrupted_reply_is_remembered_as_far_as_it_was_heard() -> None:
    async with conversation() as talk:
        began = await agent_speaks(talk)
        line = talk.say("wait stop", at=began + 1.5)
        await talk.quiet()
        heard = [word.text for word in talk.heard(since=began) if word.at < line.end and word.share >= 0.5]
        assert talk.history[2] == Remembered("assistant", " ".join(heard), interrupted=True)
        assert heard == WORDS[: len(heard)]
        assert 0 < len(heard) < len(WORDS)


@in_virtual_time
async def test_the_turn_after_an_interruption_is_prepared_in_its_pause() -> None:
    async with conversation() as talk:
        began = await agent_speaks(talk)
        line = talk.say("no i mean the bus", at=began + 1.5)
        await talk.quiet()
        assert len(talk.replies) == 2
        assert talk.replies[1].opened_at == pytest.approx(line.end + 0.114)


@pytest.mark.parametrize("backchannel", ["yeah", "mm hmm", "okay right", "i see", "thank you"])
@in_virtual_time
async def test_a_backchannel_changes_nothing(backchannel: str) -> None:
    async with conversation() as talk:
        began = await agent_speaks(talk)
        talk.say(backchannel, at=began + 1.5)
        await talk.quiet()
        assert talk.heard_text(since=began) == PARKING
        assert talk.agent_spoke_at(began) + len(WORDS) * 0.32 == pytest.approx(talk.states[-1][0])  # without a pause
        assert talk.history[2:] == [Remembered("assistant", PARKING)]
        assert len(talk.replies) == 1


@in_virtual_time
async def test_a_lone_word_that_is_no_backchannel_stops_the_agent_once_it_is_final() -> None:
    async with conversation() as talk:
        began = await agent_speaks(talk)
        line = talk.say("tuesday", at=began + 1.5)
        await talk.quiet()
        assert talk.history[2].interrupted
        assert talk.history[3] == Remembered("user", "tuesday")
        assert began < line.start


@pytest.mark.parametrize("duration_s", [0.1, 0.4, 0.9])
@in_virtual_time
async def test_a_cough_changes_nothing(duration_s: float) -> None:
    async with conversation() as talk:
        began = await agent_speaks(talk)
        talk.make_noise(duration_s, at=began + 1.5)
        await talk.quiet()
        assert talk.heard_text(since=began) == PARKING
        assert [state for _, state in talk.states].count("speaking") == 2  # the greeting and the reply
        assert talk.history[2:] == [Remembered("assistant", PARKING)]


@in_virtual_time
async def test_long_noise_pauses_the_agent_which_then_resumes() -> None:
    async with conversation() as talk:
        began = await agent_speaks(talk)
        sound = talk.make_noise(2.4, at=began + 1.0)
        await talk.quiet(4)
        heard = talk.heard(since=began)
        silent_from = max(word.at + word.share * 0.32 for word in heard if word.at < sound.end)
        back_at = min(word.at for word in heard if word.at > sound.end)
        # the gate opens after 64 ms, and 1.4 s of sound pause the agent
        assert silent_from == pytest.approx(sound.start + 1.4, abs=0.1)
        # the gate closes after 256 ms, and a second later the interruption counts as false
        assert back_at == pytest.approx(sound.end + 0.256 + 1.0, abs=0.1)
        assert talk.history[2:] == [Remembered("assistant", PARKING)]
        assert len(talk.replies) == 1


@in_virtual_time
async def test_a_pause_swallows_nothing_and_the_word_cut_off_is_repeated() -> None:
    async with conversation() as talk:
        began = await agent_speaks(talk)
        talk.make_noise(2.4, at=began + 1.0)
        await talk.quiet(4)
        heard = talk.heard(since=began)
        whole = [word.text for word in heard if word.share >= 1 - 1e-3]
        assert whole == WORDS
        assert [word.text for word in heard if word.text not in whole] == []
        assert len(heard) == len(WORDS) + 1


@in_virtual_time
async def test_words_after_noise_interrupt_the_paused_reply() -> None:
    async with conversation() as talk:
        began = await agent_speaks(talk)
        sound = talk.make_noise(2.4, at=began + 1.0)
        line = talk.say("what about the bus", at=sound.end + 0.3)
        await talk.quiet(4)
        before = [word.text for word in talk.heard(since=began) if word.at < line.start and word.share >= 0.5]
        assert talk.history[2] == Remembered("assistant", " ".join(before), interrupted=True)
        assert talk.history[3:] == [Remembered("user", "what about the bus"), Remembered("assistant", PARKING)]
        assert talk.agent_spoke_at(line.start) == pytest.approx(line.end + 0.3)


@in_virtual_time
async def test_a_backchannel_during_a_noise_pause_does_not_end_the_reply() -> None:
    async with conversation() as talk:
        began = await agent_speaks(talk)
        sound = talk.make_noise(2.4, at=began + 1.0)
        talk.say("okay", at=sound.end + 0.64)
        await talk.quiet(4)
        assert talk.heard(since=began)[-1].text == WORDS[-1]
        assert talk.history[2:] == [Remembered("assistant", PARKING)]


@in_virtual_time
async def test_an_interruption_in_the_first_word_leaves_nothing_to_remember() -> None:
    async with conversation() as talk:
        line = talk.say("where can i park")
        talk.say("no wait", at=line.end + 0.32)
        await talk.quiet()
        roles = [message.role for message in talk.history[1:]]
        assert roles.count("assistant") == 1 or talk.history[2].text in PARKING
        assert talk.history[-1] == Remembered("assistant", PARKING)


@in_virtual_time
async def test_a_second_interruption_works_like_the_first() -> None:
    async with conversation() as talk:
        for text in ("no i mean the bus", "stop i mean the train"):
            began = await agent_speaks(talk)
            talk.say(text, at=began + 1.5)
            await talk.quiet()
        cut = [message for message in talk.history if message.interrupted]
        assert len(cut) == 2
        assert all(PARKING.startswith(message.text) and message.text for message in cut)
