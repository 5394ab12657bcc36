"""A voice that pauses and resumes, on LiveKit's own room output, in virtual time."""

import asyncio

import pytest

from agent.replies.heard import STILL_HEARD_S
from tests.agent.line import TEXT, Line, line
from tests.scripted import WORD_S
from tests.virtual_room import heard
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("pause_at_s", [0.0, 0.02, 0.33, 0.65, 0.97, 1.0, 1.27, 2.9, 3.1, 3.19])
@in_virtual_time
async def test_resuming_loses_nothing_and_repeats_the_word_that_was_cut_off(pause_at_s: float) -> None:
    async with line() as talk:
        await talk.speak(TEXT)
        await asyncio.sleep(pause_at_s)
        talk.output.pause()
        await asyncio.sleep(3.0)
        talk.output.resume()
        done = await talk.output.wait_for_playout()
        assert (done.interrupted, done.synchronized_transcript) == (False, TEXT)
        assert all(share >= 1 - 1e-3 for share in shares_heard(talk).values())
        again_s = sum(played.end - played.at for played in talk.loudspeaker.played) - 10 * WORD_S
        assert -1e-3 <= again_s <= WORD_S + STILL_HEARD_S
        assert len(talk.started) == len(talk.finished) == 1


@pytest.mark.parametrize("pause_at_s", [0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3])
@in_virtual_time
async def test_a_reply_paused_and_then_cut_becomes_the_words_that_were_played(pause_at_s: float) -> None:
    async with line() as talk:
        await talk.speak(TEXT)
        await asyncio.sleep(pause_at_s)
        talk.output.pause()
        await asyncio.sleep(2.0)
        talk.output.resume()
        await asyncio.sleep(0.85)
        done = await talk.interrupt()
        await asyncio.sleep(1.0)
        heard_words = [word for word, share in shares_heard(talk).items() if share >= 0.5 - 1e-3]
        assert done.synchronized_transcript == " ".join(heard_words)


def shares_heard(talk: Line) -> dict[str, float]:
    """The largest share of each word that came out in one piece."""
    shares: dict[str, float] = {}
    for word in heard(talk.sounds, talk.loudspeaker):
        shares[word.text] = max(shares.get(word.text, 0.0), word.share)
    return shares


@in_virtual_time
async def test_a_reply_that_arrives_while_paused_plays_in_order() -> None:
    async with line() as talk:
        await talk.speak("one two three", flush=False)
        await asyncio.sleep(0.5)
        talk.output.pause()
        await talk.speak("four five six")
        await asyncio.sleep(3.0)
        talk.output.resume()
        await talk.output.wait_for_playout()
        assert list(shares_heard(talk)) == ["one", "two", "three", "four", "five", "six"]


@in_virtual_time
async def test_repeated_pauses_lose_nothing() -> None:
    async with line() as talk:
        await talk.speak(TEXT)
        for _ in range(12):
            await asyncio.sleep(0.37)
            talk.output.pause()
            talk.output.resume()
            talk.output.pause()
            await asyncio.sleep(0.2)
            talk.output.resume()
        done = await talk.output.wait_for_playout()
        assert (done.interrupted, done.synchronized_transcript) == (False, TEXT)
        assert list(shares_heard(talk)) == TEXT.split()
        assert all(share >= 1 - 1e-3 for share in shares_heard(talk).values())


@in_virtual_time
async def test_a_reply_paused_before_its_first_sound_and_cut_was_not_heard() -> None:
    async with line() as talk:
        talk.output.pause()
        await talk.speak(TEXT)
        await asyncio.sleep(1.0)
        done = await talk.interrupt()
        assert (done.synchronized_transcript, done.playback_position) == ("", 0.0)
        talk.output.resume()
        await talk.speak("alpha beta")
        assert (await talk.output.wait_for_playout()).synchronized_transcript == "alpha beta"
        assert talk.heard == "alpha beta"


@in_virtual_time
async def test_a_paused_reply_resumed_only_to_be_cut_makes_no_sound() -> None:
    async with line() as talk:
        await talk.speak(TEXT)
        await asyncio.sleep(1.0)
        talk.output.pause()
        await asyncio.sleep(1.0)
        talk.output.resume()
        for _ in range(20):
            await asyncio.sleep(0)
        assert (await talk.interrupt()).synchronized_transcript == talk.heard == "one two three"
        assert len(talk.loudspeaker.played) == 1
