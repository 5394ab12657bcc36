"""Captions of the agent's voice: they keep pace with it and end where it was cut off."""

import asyncio
from itertools import pairwise

import pytest

from tests.agent.line import TEXT, line
from tests.scripted import WORD_S
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit


@in_virtual_time
async def test_captions_follow_the_voice_word_by_word() -> None:
    async with line() as talk:
        began = asyncio.get_running_loop().time()
        shown_at: dict[str, float] = {}
        await talk.speak(TEXT)
        while len(shown_at) < 10:
            for sent in talk.captions():
                shown_at.setdefault(sent.text.split()[-1], asyncio.get_running_loop().time() - began)
            await asyncio.sleep(0.01)
        for at, word in enumerate(TEXT.split()):
            assert (at + 0.5) * WORD_S <= shown_at[word] + 1e-6
            assert shown_at[word] <= (at + 0.5) * WORD_S + 0.15


@in_virtual_time
async def test_every_caption_is_a_prefix_of_the_next_and_the_last_is_final() -> None:
    async with line() as talk:
        await talk.speak(TEXT)
        await talk.output.wait_for_playout()
        await asyncio.sleep(1)
        shown = talk.captions()
        assert len({sent.segment for sent in shown}) == 1
        assert all(later.text.startswith(sooner.text) for sooner, later in pairwise(shown))
        assert [sent.is_final for sent in shown] == [False] * (len(shown) - 1) + [True]
        assert (shown[-1].text, shown[-1].is_interrupted) == (TEXT, False)


@in_virtual_time
async def test_the_last_caption_of_an_interrupted_reply_is_marked_and_has_the_words_heard() -> None:
    async with line() as talk:
        await talk.speak(TEXT)
        await asyncio.sleep(1.0)
        await talk.interrupt()
        await asyncio.sleep(5)
        last = talk.captions()[-1]
        assert (last.text, last.is_final, last.is_interrupted) == ("one two three", True, True)


@in_virtual_time
async def test_captions_pause_and_resume_with_the_voice() -> None:
    async with line() as talk:
        await talk.speak(TEXT)
        await asyncio.sleep(1.0)
        talk.output.pause()
        await asyncio.sleep(4.0)
        assert talk.captions()[-1].text == "one two three"
        talk.output.resume()
        await asyncio.sleep(0.6)
        # about 200 ms were discarded, so the voice is slightly ahead of the time that has passed
        assert talk.captions()[-1].text in ("one two three four five", "one two three four")


@in_virtual_time
async def test_captions_keep_pace_with_a_voice_paused_before_it_began() -> None:
    """A caller who speaks while the agent is thinking holds back its first sound."""
    async with line() as talk:
        talk.output.pause()
        await talk.speak(TEXT)
        await asyncio.sleep(3.0)
        assert talk.captions() == []
        talk.output.resume()
        await asyncio.sleep(1.3)
        assert talk.captions()[-1].text == "one two three four"


@in_virtual_time
async def test_a_pause_between_replies_does_not_delay_the_next_ones_captions() -> None:
    async with line() as talk:
        await talk.speak("alpha beta")
        await asyncio.sleep(0.2)
        talk.output.pause()
        await asyncio.sleep(2.0)
        await talk.interrupt()
        await talk.speak(TEXT)
        talk.output.resume()
        await asyncio.sleep(1.3)
        assert talk.captions()[-1].text == "one two three four"
