"""HeardOutput on LiveKit's own room output: the history gets what was played. In virtual time."""

import asyncio

import numpy as np
import pytest
from livekit import rtc

from agent.call.events import AgentHeard, AgentStartedSpeaking, AgentStoppedSpeaking
from agent.replies.heard import STILL_HEARD_S
from tests.agent.line import TEXT, line
from tests.scripted import ROOM_RATE, WORD_S
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit


@in_virtual_time
async def test_a_reply_played_to_its_end_is_heard_in_full() -> None:
    async with line() as talk:
        await talk.speak(TEXT)
        done = await talk.output.wait_for_playout()
        assert (done.interrupted, done.synchronized_transcript) == (False, TEXT)
        assert done.playback_position == pytest.approx(10 * WORD_S)
        assert talk.heard == TEXT


@pytest.mark.parametrize("cut_s", [0.0, 0.05, 0.15, 0.17, 0.32, 0.5, 0.97, 1.6, 2.2, 3.0, 3.19])
@in_virtual_time
async def test_a_reply_cut_short_becomes_the_words_that_were_played(cut_s: float) -> None:
    async with line() as talk:
        await talk.speak(TEXT)
        await asyncio.sleep(cut_s)
        done = await talk.interrupt()
        await asyncio.sleep(5)
        assert done.interrupted
        assert done.synchronized_transcript == talk.heard
        assert done.synchronized_transcript == " ".join(TEXT.split()[: round((cut_s + STILL_HEARD_S) / WORD_S)])


@in_virtual_time
async def test_a_reply_cut_in_its_first_word_was_not_heard() -> None:
    async with line() as talk:
        await talk.speak(TEXT)
        await asyncio.sleep(0.1)
        assert (await talk.interrupt()).synchronized_transcript == ""


@in_virtual_time
async def test_a_reply_cut_while_it_is_still_arriving() -> None:
    async with line() as talk:
        speaking = asyncio.create_task(talk.speak(TEXT, flush=False))
        await asyncio.sleep(1.0)
        speaking.cancel()
        talk.output.flush()
        done = await talk.interrupt()
        assert done.synchronized_transcript == talk.heard == "one two three"


@in_virtual_time
async def test_a_reply_cut_in_a_pause_ends_where_the_pause_began() -> None:
    async with line() as talk:
        await talk.speak(TEXT)
        await asyncio.sleep(1.0)
        talk.output.pause()
        await asyncio.sleep(5.0)
        done = await talk.interrupt()
        talk.output.resume()
        await asyncio.sleep(5.0)
        assert done.synchronized_transcript == "one two three"
        assert talk.heard == "one two three"


@in_virtual_time
async def test_pausing_repeatedly_is_pausing_once() -> None:
    async with line() as talk:
        await talk.speak(TEXT)
        await asyncio.sleep(1.0)
        for _ in range(30):
            talk.output.pause()
            await asyncio.sleep(0.03)
        talk.output.resume()
        await asyncio.sleep(0.5)
        shown = [sent.text for sent in talk.captions()]
        assert shown[-1] == "one two three four"


@in_virtual_time
async def test_replies_follow_each_other_with_their_own_words() -> None:
    async with line() as talk:
        for text in ("alpha beta", "gamma delta epsilon"):
            await talk.speak(text)
            assert (await talk.output.wait_for_playout()).synchronized_transcript == text
        await talk.speak("zeta eta theta")
        await asyncio.sleep(0.5)
        assert (await talk.interrupt()).synchronized_transcript == "zeta eta"
        await talk.speak("iota kappa")
        assert (await talk.output.wait_for_playout()).synchronized_transcript == "iota kappa"
        assert talk.heard == "alpha beta gamma delta epsilon zeta eta iota kappa"


@in_virtual_time
async def test_what_was_heard_is_published_with_its_words_and_their_times() -> None:
    async with line() as talk:
        await talk.speak(TEXT)
        await asyncio.sleep(1.0)
        await talk.interrupt()
        await talk.speak("alpha beta")
        await talk.output.wait_for_playout()
        finals = [heard for heard in talk.events.of(AgentHeard) if heard.is_final]
        assert [(heard.said.text, heard.is_interrupted) for heard in finals] == [
            ("one two three", True),
            ("alpha beta", False),
        ]
        assert [word.text for word in finals[0].said.words] == ["one", "two", "three"]
        assert [word.start_s for word in finals[0].said.words] == pytest.approx([0.0, WORD_S, 2 * WORD_S])
        assert finals[0].segment != finals[1].segment
        assert {heard.segment for heard in talk.events.of(AgentHeard)} == {heard.segment for heard in finals}


@in_virtual_time
async def test_a_reply_without_word_times_is_not_captioned() -> None:
    async with line() as talk:
        await talk.speak(TEXT, has_times=False)
        done = await talk.output.wait_for_playout()
        assert done.synchronized_transcript is None
        assert talk.events.of(AgentHeard) == []
        await talk.events.drained(0.5)
        assert talk.captions() == []


@in_virtual_time
async def test_the_agent_speaks_while_a_reply_plays_or_is_paused() -> None:
    async with line() as talk:
        assert not talk.events.state.agent_is_speaking
        await talk.speak(TEXT)
        await asyncio.sleep(0.1)
        assert talk.events.state.agent_is_speaking
        talk.output.pause()
        await asyncio.sleep(9)
        assert talk.events.state.agent_is_speaking
        talk.output.resume()
        await asyncio.wait_for(talk.output.wait_for_playout(), 5)
        assert not talk.events.state.agent_is_speaking
        assert talk.events.of(AgentStartedSpeaking) == [AgentStartedSpeaking()]
        assert talk.events.of(AgentStoppedSpeaking) == [AgentStoppedSpeaking(is_interrupted=False)]


@in_virtual_time
async def test_a_reply_that_was_cut_before_its_first_sound_stops_without_having_started() -> None:
    async with line() as talk:
        talk.output.pause()
        await talk.speak(TEXT)
        await talk.interrupt()
        assert talk.events.of(AgentStartedSpeaking) == []
        assert talk.events.of(AgentStoppedSpeaking) == [AgentStoppedSpeaking(is_interrupted=True)]
        assert not talk.events.state.agent_is_speaking


@in_virtual_time
async def test_silence_between_words_belongs_to_no_word() -> None:
    async with line() as talk:
        silence = np.zeros(ROOM_RATE, np.int16)
        await talk.speak("one", flush=False)
        await talk.output.capture_frame(rtc.AudioFrame(silence.tobytes(), ROOM_RATE, 1, len(silence)))
        talk.output.flush()
        await asyncio.sleep(1.0)
        assert (await talk.interrupt()).synchronized_transcript == "one"
