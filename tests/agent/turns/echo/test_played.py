"""What is played at any moment, against what came out of the loudspeaker of LiveKit's own room output, in virtual time."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np
import pytest
import soxr
from livekit import rtc
from livekit.agents.types import USERDATA_TIMED_TRANSCRIPT, TimedString

from agent.adapters.echo import NotedOutput
from agent.turns.echo.played import PlayedSound
from serving.audio import SPEECH_RATE, AudioChunk, Pcm32, pcm16
from tests.scripted import ROOM_RATE
from tests.virtual_room import Loudspeaker, RoomOutput
from tests.virtual_time import LOOP_STARTS_AT_S, in_virtual_time

pytestmark = pytest.mark.unit


@dataclass(slots=True)
class Line:
    """A voice on its way out."""

    output: NotedOutput
    played: PlayedSound
    loudspeaker: Loudspeaker

    async def speak(self, seconds: float, seed: int = 0, *, flush: bool = True) -> None:
        """Low-passed noise, in the TTS's frames."""
        rng = np.random.default_rng(seed)
        sound = np.convolve(rng.normal(size=round(seconds * ROOM_RATE)), np.hanning(24), "same") * 0.05
        samples = pcm16(sound.astype(np.float32))
        for start in range(0, len(samples), ROOM_RATE // 5):
            piece = samples[start : start + ROOM_RATE // 5]
            await self.output.capture_frame(rtc.AudioFrame(piece.tobytes(), ROOM_RATE, 1, len(piece)))
        if flush:
            self.output.flush()

    def error_db(self) -> float:
        """How far what was noted is from what came out, against the latter's level."""
        now, wall = asyncio.get_running_loop().time() - LOOP_STARTS_AT_S, time.time()
        truth = np.zeros(round(now * SPEECH_RATE), np.float32)
        for run in self.loudspeaker.played:
            sound = soxr.resample(AudioChunk(run.samples, ROOM_RATE).to_float(), ROOM_RATE, SPEECH_RATE)
            start = round((run.at - LOOP_STARTS_AT_S) * SPEECH_RATE)
            truth[start : start + len(sound)] += sound[: len(truth) - start]
        noted = self.played.block(wall - now, len(truth))
        return _db(noted - truth) - _db(truth)


def _db(sound: Pcm32) -> float:
    return float(10 * np.log10(np.mean(sound**2) + 1e-12))


@asynccontextmanager
async def line() -> AsyncIterator[Line]:
    loudspeaker, played = Loudspeaker(), PlayedSound()
    sink = RoomOutput(loudspeaker)
    try:
        yield Line(NotedOutput(sink, played), played, loudspeaker)
    finally:
        await sink.aclose()


@in_virtual_time
async def test_a_reply_is_noted_sample_by_sample() -> None:
    async with line() as talk:
        await asyncio.sleep(1)
        await talk.speak(2.0)
        await asyncio.sleep(3)
        assert talk.error_db() < -20


@in_virtual_time
async def test_replies_one_after_the_other() -> None:
    async with line() as talk:
        for seed in range(3):
            await talk.speak(0.7, seed)
            await talk.output.wait_for_playout()
            await asyncio.sleep(0.2)
        assert talk.error_db() < -20


@in_virtual_time
async def test_a_reply_that_is_cut_ends_when_it_is_cut() -> None:
    async with line() as talk:
        await talk.speak(3.0)
        await asyncio.sleep(1.01)
        talk.output.clear_buffer()
        await talk.output.wait_for_playout()
        await asyncio.sleep(1)
        assert talk.error_db() < -15
        assert sum(len(run.samples) for run in talk.loudspeaker.played) == pytest.approx(1.01 * ROOM_RATE, rel=0.02)


@in_virtual_time
async def test_a_voice_that_runs_dry_goes_on_where_it_was() -> None:
    async with line() as talk:
        await talk.speak(0.6, flush=False)
        await asyncio.sleep(1.5)
        await talk.speak(0.6, seed=1)
        await asyncio.sleep(2)
        assert talk.error_db() < -20


@pytest.mark.parametrize("pause_at_s", [0.71, 0.93, 1.04])
@in_virtual_time
async def test_what_a_pause_discards_is_not_played(pause_at_s: float) -> None:
    async with line() as talk:
        await talk.speak(3.0)
        await asyncio.sleep(pause_at_s)
        talk.output.pause()
        await asyncio.sleep(1.0)
        talk.output.resume()
        await asyncio.sleep(1.5)
        assert talk.error_db() < -15


@in_virtual_time
async def test_it_is_known_when_nothing_is_played() -> None:
    async with line() as talk:
        assert not talk.played.was_playing(time.time(), 1.0)
        await talk.speak(1.0)
        await asyncio.sleep(0.5)
        assert talk.played.was_playing(time.time(), 1.0)
        await talk.output.wait_for_playout()
        talk.played.block(time.time() - 0.1, 320)
        assert talk.played.was_playing(time.time(), 1.0)
        await asyncio.sleep(2)
        assert not talk.played.was_playing(time.time(), 1.0)


@in_virtual_time
async def test_words_are_known_with_the_times_at_which_they_are_played() -> None:
    async with line() as talk:
        frame = rtc.AudioFrame(np.full(ROOM_RATE, 900, np.int16).tobytes(), ROOM_RATE, 1, ROOM_RATE)
        frame.userdata[USERDATA_TIMED_TRANSCRIPT] = [
            TimedString("one ", start_time=0.1, end_time=0.4),
            TimedString("two ", start_time=0.7, end_time=0.9),
        ]
        began_at_s = time.time()
        await talk.output.capture_frame(frame)
        talk.output.flush()
        await asyncio.sleep(0.5)
        talk.output.clear_buffer()
        await talk.output.wait_for_playout()
        (word,) = talk.played.words()
        assert word.text == "one"
        assert word.start_s - began_at_s == pytest.approx(0.1, abs=0.01)
