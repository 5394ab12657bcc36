"""Sound over the agent's voice, with a model that judges it behind LiveKit's adaptive-interruption protocol."""

import asyncio

import pytest

from serving.speech import Interruption
from tests.conversations.talk import PARKING, Remembered, Spoken, Talk, conversation
from tests.conversations.test_interruptions import WORDS, agent_speaks
from tests.overlaps import CountedOverlaps
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.conversation


def silent_from(talk: Talk, *, began: float, line: Spoken) -> float:
    """When the reply that began at `began` was last heard before the end of the caller's line."""
    return max(word.at + word.share * 0.32 for word in talk.heard(since=began) if word.at < line.end)


async def reply_goes_on(talk: Talk, began: float) -> None:
    """Check that the reply was heard to its end without a gap and nothing else entered the history."""
    await talk.quiet()
    assert talk.heard_text(since=began) == PARKING
    words = talk.heard(since=began)
    assert [word.share for word in words] == pytest.approx([1.0] * len(WORDS))
    assert words[-1].at - words[0].at == pytest.approx(0.32 * (len(WORDS) - 1))
    assert [state for _, state in talk.states].count("speaking") == 2  # the greeting and the reply
    assert talk.history[2:] == [Remembered("assistant", PARKING)]
    assert len(talk.replies) == 1


@in_virtual_time
async def test_an_interruption_stops_the_agent_before_any_of_its_words_are_known() -> None:
    async with conversation(has_interruption=True) as talk:
        began = await agent_speaks(talk)
        line = talk.say("tuesday would be better", at=began + 1.5)
        await talk.quiet()
        assert silent_from(talk, began=began, line=line) - line.start <= 0.3
        assert talk.history[2] == Remembered("assistant", " ".join(WORDS[:5]), interrupted=True)
        assert talk.history[3:] == [Remembered("user", "tuesday would be better"), Remembered("assistant", PARKING)]


@in_virtual_time
async def test_the_turn_after_an_interruption_is_answered_as_soon_as_any() -> None:
    async with conversation(has_interruption=True) as talk:
        began = await agent_speaks(talk)
        line = talk.say("tuesday would be better", at=began + 1.5)
        await talk.quiet()
        assert [reply.opened_at for reply in talk.replies[1:]] == [pytest.approx(line.end + 0.114)]
        assert talk.agent_spoke_at(line.end) == pytest.approx(line.end + 0.3)


@in_virtual_time
async def test_an_interruption_in_the_first_word_of_a_reply_stops_it() -> None:
    async with conversation(has_interruption=True) as talk:
        began = await agent_speaks(talk)
        line = talk.say("tuesday would be better", at=began + 0.1)
        await talk.quiet()
        assert silent_from(talk, began=began, line=line) - line.start <= 0.35
        assert talk.history[-2:] == [Remembered("user", "tuesday would be better"), Remembered("assistant", PARKING)]


@in_virtual_time
async def test_the_first_verdict_comes_300_ms_into_the_overlap() -> None:
    async with conversation(has_interruption=True) as talk:
        began = await agent_speaks(talk)
        line = talk.say("mm hmm", at=began + 1.5)
        await talk.until(lambda: talk.interruption and talk.interruption.asked_about_s)
        await asyncio.sleep(0.02)
        assert talk.interruption is not None
        assert asyncio.get_running_loop().time() - line.start <= 0.3
        assert talk.interruption.asked_about_s[0] == pytest.approx(
            asyncio.get_running_loop().time() - line.start, abs=0.05
        )


@pytest.mark.parametrize("backchannel", ["mm hmm", "yeah", "okay right", "i see", "thank you"])
@in_virtual_time
async def test_a_backchannel_neither_pauses_the_reply_nor_enters_the_history(
    backchannel: str,
) -> None:
    counted = CountedOverlaps()
    async with conversation(has_interruption=True) as talk:
        began = await agent_speaks(talk)
        talk.say(backchannel, at=began + 1.5)
        await reply_goes_on(talk, began)
    assert counted() == {"backchannel": 1}


@pytest.mark.parametrize("duration_s", [0.1, 0.4, 0.9, 2.4])
@in_virtual_time
async def test_noise_does_not_pause_the_reply_however_long(duration_s: float) -> None:
    counted = CountedOverlaps()
    async with conversation(has_interruption=True) as talk:
        began = await agent_speaks(talk)
        talk.make_noise(duration_s, at=began + 1.5)
        await reply_goes_on(talk, began)
    assert counted() == {"other": 1}


@in_virtual_time
async def test_each_sound_is_judged_on_its_own() -> None:
    counted = CountedOverlaps()
    async with conversation(has_interruption=True) as talk:
        began = await agent_speaks(talk)
        talk.say("mm hmm", at=began + 0.5)
        noise = talk.make_noise(0.5, at=began + 1.9)
        line = talk.say("what about the bus", at=noise.end + 0.5)
        await talk.quiet()
        assert silent_from(talk, began=began, line=line) - line.start <= 0.3
        assert talk.history[3:] == [Remembered("user", "what about the bus"), Remembered("assistant", PARKING)]
    assert counted() == {"backchannel": 1, "other": 1, "interruption": 1}


@in_virtual_time
async def test_words_stop_the_agent_when_the_model_hears_none() -> None:
    async with conversation(has_interruption=True) as talk:
        began = await agent_speaks(talk)
        make_deaf(talk)
        line = talk.say("no i mean the bus", at=began + 1.5)
        await talk.quiet()
        assert silent_from(talk, began=began, line=line) - line.start <= 0.9
        assert talk.history[3:] == [Remembered("user", "no i mean the bus"), Remembered("assistant", PARKING)]


@in_virtual_time
async def test_words_said_just_before_the_reply_ends_are_a_turn() -> None:
    async with conversation(has_interruption=True) as talk:
        began = await agent_speaks(talk)
        make_deaf(talk)
        ends = began + 0.32 * len(WORDS)
        talk.say("tuesday", at=ends - 0.2)
        await talk.quiet()
        assert talk.history[2:] == [
            Remembered("assistant", PARKING),
            Remembered("user", "tuesday"),
            Remembered("assistant", PARKING),
        ]


def make_deaf(talk: Talk) -> None:
    """From now on, the model takes everything for noise."""
    assert talk.interruption is not None

    async def predict(samples: object, overlap_s: float) -> Interruption:
        return Interruption(0.05, 0.05, 0.9, 0.01)

    talk.interruption.predict = predict  # type: ignore[method-assign]


# the model fails or is late


@in_virtual_time
async def test_when_the_model_fails_the_vad_decides_as_without_one() -> None:
    counted = CountedOverlaps()
    async with conversation(has_interruption=True) as talk:
        began = await agent_speaks(talk)
        assert talk.interruption is not None
        talk.interruption.is_dead = True
        sound = talk.make_noise(2.4, at=began + 1.0)
        await talk.quiet(4)
        heard = talk.heard(since=began)
        stopped = max(word.at + word.share * 0.32 for word in heard if word.at < sound.end)
        back_at = min(word.at for word in heard if word.at > sound.end)
        assert stopped == pytest.approx(sound.start + 1.45, abs=0.15)
        assert back_at == pytest.approx(sound.end + 0.256 + 1.0, abs=0.1)
        assert talk.history[2:] == [Remembered("assistant", PARKING)]
        assert talk.engine_failures == 1
    assert counted() == {"fallback": 1}


@in_virtual_time
async def test_when_the_model_fails_words_still_stop_the_agent_and_backchannels_do_not() -> None:
    async with conversation(has_interruption=True) as talk:
        began = await agent_speaks(talk)
        assert talk.interruption is not None
        talk.interruption.is_dead = True
        talk.say("mm hmm", at=began + 0.5)
        line = talk.say("no i mean the bus", at=began + 2.5)
        await talk.quiet()
        assert line.start + 0.32 < silent_from(talk, began=began, line=line) < line.start + 0.9
        assert talk.agent_spoke_at(line.end) == pytest.approx(line.end + 0.3)
        assert talk.history[3:] == [Remembered("user", "no i mean the bus"), Remembered("assistant", PARKING)]


@in_virtual_time
async def test_a_model_that_recovers_is_used_again() -> None:
    counted = CountedOverlaps()
    async with conversation(has_interruption=True) as talk:
        began = await agent_speaks(talk)
        assert talk.interruption is not None
        talk.interruption.is_dead = True
        sound = talk.make_noise(0.9, at=began + 0.5)
        await talk.until(lambda: asyncio.get_running_loop().time() > sound.end + 0.3)
        talk.interruption.is_dead = False
        line = talk.say("tuesday would be better", at=sound.end + 0.5)
        await talk.quiet()
        assert silent_from(talk, began=began, line=line) - line.start <= 0.3
    assert counted() == {"fallback": 1, "interruption": 1}


@in_virtual_time
async def test_a_slow_model_is_not_waited_for_and_used_again_once_it_is_fast() -> None:
    counted = CountedOverlaps()
    async with conversation(has_interruption=True) as talk:
        began = await agent_speaks(talk)
        assert talk.interruption is not None
        talk.interruption.inference_s = 30.0
        sound = talk.make_noise(1.2, at=began + 0.5)
        await talk.until(lambda: asyncio.get_running_loop().time() > sound.end + 0.3)
        assert talk.engine_failures == 0
        talk.interruption.inference_s = 0.02
        line = talk.say("tuesday would be better", at=sound.end + 0.5)
        await talk.quiet()
        assert silent_from(talk, began=began, line=line) - line.start <= 0.3
    assert counted() == {"fallback": 1, "interruption": 1}


@in_virtual_time
async def test_a_failed_judgement_costs_the_caller_no_apology() -> None:
    async with conversation(has_interruption=True) as talk:
        began = await agent_speaks(talk)
        assert talk.interruption is not None
        talk.interruption.is_dead = True
        talk.make_noise(0.6, at=began + 0.5)
        await reply_goes_on(talk, began)


# LiveKit gives up on the model


@in_virtual_time
async def test_words_still_stop_the_agent_when_livekit_falls_back_to_the_vad() -> None:
    counted = CountedOverlaps()
    async with conversation(has_interruption=True) as talk:
        began = await agent_speaks(talk)
        await talk.end_interruption_service()
        talk.say("mm hmm", at=began + 0.5)
        line = talk.say("no i mean the bus", at=began + 2.5)
        await talk.quiet()
        assert line.start + 0.32 < silent_from(talk, began=began, line=line) < line.start + 0.9
        assert talk.history[3:] == [Remembered("user", "no i mean the bus"), Remembered("assistant", PARKING)]
    assert counted() == {"fallback": 1, "interruption": 1}
