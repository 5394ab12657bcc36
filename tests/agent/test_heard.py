"""HeardOutput on LiveKit's own room output: what is remembered and shown is what was played, in virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest
from livekit import rtc
from livekit.agents.types import USERDATA_TIMED_TRANSCRIPT, TimedString
from livekit.agents.voice import io

from agent.captions import Captions
from agent.heard import HeardOutput
from tests.caption_room import CaptionRoom, SentStream
from tests.scripted import ROOM_RATE, WORD_S, Sounds
from tests.virtual_room import Loudspeaker, RoomOutput, heard
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit

TEXT = "one two three four five six seven eight nine ten"
FRAME_S = 0.2


@dataclass(slots=True)
class Line:
    """A voice on its way to a caller."""

    output: HeardOutput
    loudspeaker: Loudspeaker
    room: CaptionRoom
    sounds: Sounds
    started: list[io.PlaybackStartedEvent] = field(default_factory=list)
    finished: list[io.PlaybackFinishedEvent] = field(default_factory=list)

    async def speak(self, text: str, *, has_times: bool = True, flush: bool = True) -> None:
        """Hand over a reply as the TTS does: 200 ms frames, each with the words that begin in it."""
        samples = self.sounds.speech(text, rate=ROOM_RATE)
        words = list(enumerate(text.split()))
        step = round(FRAME_S * ROOM_RATE)
        for start in range(0, len(samples), step):
            chunk = samples[start : start + step]
            frame = rtc.AudioFrame(chunk.tobytes(), ROOM_RATE, 1, len(chunk))
            begin = [(at, word) for at, word in words if at * WORD_S < (start + step) / ROOM_RATE]
            words = words[len(begin) :]
            if has_times:
                frame.userdata[USERDATA_TIMED_TRANSCRIPT] = [
                    TimedString(f"{word} ", start_time=at * WORD_S, end_time=(at + 1) * WORD_S) for at, word in begin
                ]
            await self.output.capture_frame(frame)
        if flush:
            self.output.flush()

    async def interrupt(self) -> io.PlaybackFinishedEvent:
        """Cut the reply short, as LiveKit does."""
        self.output.clear_buffer()
        return await self.output.wait_for_playout()

    def captions(self) -> list[SentStream]:
        """What was shown, the pacing task's last word included."""
        return self.room.sent

    @property
    def heard(self) -> str:
        """The words of which at least half came out."""
        return " ".join(word.text for word in heard(self.sounds, self.loudspeaker) if word.share >= 0.5)


@asynccontextmanager
async def line() -> AsyncIterator[Line]:
    """A line on which nothing was said yet."""
    room, loudspeaker = CaptionRoom(), Loudspeaker()
    captions = Captions(room.as_room())
    sink = RoomOutput(loudspeaker)
    output = HeardOutput(sink, captions)
    made = Line(output, loudspeaker, room, Sounds())
    output.on("playback_started", made.started.append)
    output.on("playback_finished", made.finished.append)
    try:
        yield made
    finally:
        await captions.sent()
        await captions.aclose()
        await sink.aclose()


@in_virtual_time
async def test_a_reply_heard_to_its_end_is_whole() -> None:
    async with line() as talk:
        await talk.speak(TEXT)
        done = await talk.output.wait_for_playout()
        assert (done.interrupted, done.synchronized_transcript) == (False, TEXT)
        assert done.playback_position == pytest.approx(10 * WORD_S)
        assert talk.heard == TEXT


@pytest.mark.parametrize("cut_s", [0.0, 0.05, 0.15, 0.17, 0.32, 0.5, 0.97, 1.6, 2.2, 3.0, 3.19])
@in_virtual_time
async def test_a_reply_cut_short_is_the_words_that_were_played(cut_s: float) -> None:
    async with line() as talk:
        await talk.speak(TEXT)
        await asyncio.sleep(cut_s)
        done = await talk.interrupt()
        await asyncio.sleep(5)
        assert done.interrupted
        assert done.synchronized_transcript == talk.heard
        assert done.synchronized_transcript == " ".join(TEXT.split()[: round(cut_s / WORD_S)])


@in_virtual_time
async def test_a_reply_cut_in_its_first_word_was_not_heard() -> None:
    async with line() as talk:
        await talk.speak(TEXT)
        await asyncio.sleep(0.1)
        assert (await talk.interrupt()).synchronized_transcript == ""


@in_virtual_time
async def test_a_reply_cut_while_it_is_still_coming_in() -> None:
    async with line() as talk:
        speaking = asyncio.create_task(talk.speak(TEXT, flush=False))
        await asyncio.sleep(1.0)
        speaking.cancel()
        talk.output.flush()
        done = await talk.interrupt()
        assert done.synchronized_transcript == talk.heard == "one two three"


@in_virtual_time
async def test_a_pause_that_is_resumed_loses_at_most_what_the_sink_discards() -> None:
    async with line() as talk:
        await talk.speak(TEXT)
        await asyncio.sleep(1.0)
        talk.output.pause()
        await asyncio.sleep(3.0)
        talk.output.resume()
        done = await talk.output.wait_for_playout()
        assert (done.interrupted, done.synchronized_transcript) == (False, TEXT)
        assert 10 * WORD_S - 0.25 <= sum(played.end - played.at for played in talk.loudspeaker.played) < 10 * WORD_S


@pytest.mark.parametrize("pause_at_s", [0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3])
@in_virtual_time
async def test_what_a_pause_discarded_is_not_remembered_when_the_reply_is_cut_later(pause_at_s: float) -> None:
    async with line() as talk:
        await talk.speak(TEXT)
        await asyncio.sleep(pause_at_s)
        talk.output.pause()
        await asyncio.sleep(2.0)
        talk.output.resume()
        await asyncio.sleep(0.85)
        done = await talk.interrupt()
        assert done.synchronized_transcript is not None
        remembered = done.synchronized_transcript.split()
        shares = shares_heard(talk)
        # a word counts by its middle: it may be remembered with half of it swallowed, or missing with half of it heard
        assert all(shares[word] >= 0.25 for word in remembered)
        assert all(word in remembered for word, share in shares.items() if share > 0.75)


def shares_heard(talk: Line) -> dict[str, float]:
    """How much of each word came out, in whatever pieces."""
    shares: dict[str, float] = {}
    for word in heard(talk.sounds, talk.loudspeaker):
        shares[word.text] = shares.get(word.text, 0.0) + word.share
    return shares


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
async def test_pausing_again_and_again_is_pausing_once() -> None:
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
async def test_a_reply_without_word_times_is_not_captioned() -> None:
    async with line() as talk:
        await talk.speak(TEXT, has_times=False)
        done = await talk.output.wait_for_playout()
        assert done.synchronized_transcript is None
        assert talk.captions() == []


@in_virtual_time
async def test_it_is_quiet_but_while_a_reply_is_played_or_held() -> None:
    async with line() as talk:
        assert not talk.output.is_speaking
        await talk.speak(TEXT)
        await asyncio.sleep(0.1)
        assert talk.output.is_speaking
        talk.output.pause()
        await asyncio.sleep(9)
        assert talk.output.is_speaking
        talk.output.resume()
        await asyncio.wait_for(talk.output.quiet.wait(), 5)
        assert not talk.output.is_speaking


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
async def test_every_caption_is_the_beginning_of_the_next_and_the_last_is_final() -> None:
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
async def test_the_last_caption_of_a_cut_reply_says_so_and_has_the_words_heard() -> None:
    async with line() as talk:
        await talk.speak(TEXT)
        await asyncio.sleep(1.0)
        await talk.interrupt()
        await asyncio.sleep(5)
        last = talk.captions()[-1]
        assert (last.text, last.is_final, last.is_interrupted) == ("one two three", True, True)


@in_virtual_time
async def test_captions_wait_in_a_pause_and_go_on_where_the_voice_does() -> None:
    async with line() as talk:
        await talk.speak(TEXT)
        await asyncio.sleep(1.0)
        talk.output.pause()
        await asyncio.sleep(4.0)
        assert talk.captions()[-1].text == "one two three"
        talk.output.resume()
        await asyncio.sleep(0.6)
        # some 200 ms were discarded, so that the voice is a little further than the time it took
        assert talk.captions()[-1].text in ("one two three four five", "one two three four")


@in_virtual_time
async def test_captions_keep_pace_with_a_voice_that_was_held_before_it_began() -> None:
    """A caller who speaks while the agent thinks holds its first sound back."""
    async with line() as talk:
        talk.output.pause()
        await talk.speak(TEXT)
        await asyncio.sleep(3.0)
        assert talk.captions() == []
        talk.output.resume()
        await asyncio.sleep(1.3)
        assert talk.captions()[-1].text == "one two three four"


@in_virtual_time
async def test_a_pause_between_replies_does_not_hold_up_the_next_ones_captions() -> None:
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


@in_virtual_time
async def test_silence_between_words_belongs_to_no_word() -> None:
    async with line() as talk:
        silence = np.zeros(ROOM_RATE, np.int16)
        await talk.speak("one", flush=False)
        await talk.output.capture_frame(rtc.AudioFrame(silence.tobytes(), ROOM_RATE, 1, len(silence)))
        talk.output.flush()
        await asyncio.sleep(1.0)
        assert (await talk.interrupt()).synchronized_transcript == "one"
