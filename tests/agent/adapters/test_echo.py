"""The agent's voice comes back over a line: LiveKit's own room output, the canceller in front of the input, virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import numpy as np
import pytest
import soxr
from livekit import rtc
from livekit.agents.voice import io

from agent.adapters.audio import chunk_from, frame_from
from agent.adapters.echo import EchoCancelledInput, NotedOutput
from agent.turns.echo.played import PlayedSound
from scripts.bench.echo.paths import PATHS
from scripts.caller.voice import load_voice
from serving.audio import SPEECH_RATE, AudioChunk, Pcm32, pcm16
from tests.scripted import ROOM_RATE
from tests.virtual_room import Loudspeaker, RoomOutput
from tests.virtual_time import LOOP_STARTS_AT_S, in_virtual_time

pytestmark = pytest.mark.contract

FRAME_S = 0.02
WAY_S = 0.2
"""There and back, beside the room."""


def now_s() -> float:
    """Since the loop's clock began to run."""
    return asyncio.get_running_loop().time() - LOOP_STARTS_AT_S


class EchoingLine(io.AudioInput):
    """What a microphone beside a loudspeaker hears, frame by frame, a while later."""

    def __init__(self, loudspeaker: Loudspeaker, *, gain: float, frame_s: float = FRAME_S) -> None:
        super().__init__(label="EchoingLine")
        self._loudspeaker = loudspeaker
        self._response = PATHS["laptop"].response()[: SPEECH_RATE // 8] * gain
        self._frame_s = frame_s
        self.caller: Pcm32 = np.zeros(0, np.float32)
        """What the caller says, from the start on."""
        self._sent = 0

    async def __anext__(self) -> rtc.AudioFrame:
        samples = round(self._frame_s * SPEECH_RATE)
        self._sent += samples
        await asyncio.sleep(max(0.0, self._sent / SPEECH_RATE - now_s()))
        first = self._sent - samples - round(WAY_S * SPEECH_RATE)
        tail = len(self._response)
        sound = np.convolve(self._played(first - tail, samples + tail), self._response)[tail : tail + samples]
        mine = self.caller[self._sent - samples : self._sent]
        sound[: len(mine)] += mine
        return frame_from(AudioChunk(pcm16(sound.astype(np.float32)), SPEECH_RATE))

    def _played(self, first: int, samples: int) -> Pcm32:
        block = np.zeros(samples, np.float32)
        for run in self._loudspeaker.played:
            sound = soxr.resample(AudioChunk(run.samples, ROOM_RATE).to_float(), ROOM_RATE, SPEECH_RATE)
            start = round((run.at - LOOP_STARTS_AT_S) * SPEECH_RATE) - first
            begin, end = max(start, 0), min(start + len(sound), samples)
            if begin < end:
                block[begin:end] += sound[begin - start : end - start]
        return block


@dataclass(slots=True)
class Talk:
    """A line that is listened to."""

    output: NotedOutput
    line: EchoingLine
    heard: list[Pcm32] = field(default_factory=list)
    """What the agent listens to, from the start on."""

    async def speak(self, voice: Pcm32) -> None:
        """A reply, to its end."""
        samples = pcm16(soxr.resample(voice, SPEECH_RATE, ROOM_RATE))
        for start in range(0, len(samples), ROOM_RATE // 5):
            piece = samples[start : start + ROOM_RATE // 5]
            await self.output.capture_frame(rtc.AudioFrame(piece.tobytes(), ROOM_RATE, 1, len(piece)))
        self.output.flush()
        await self.output.wait_for_playout()

    def level_db(self, start_s: float, end_s: float | None = None) -> float:
        """Of what is listened to, between two times."""
        sound = np.concatenate(self.heard)[round(start_s * SPEECH_RATE) : end_s and round(end_s * SPEECH_RATE)]
        return float(10 * np.log10(np.mean(sound**2) + 1e-10))


@asynccontextmanager
async def talking(*, gain: float, frame_s: float = FRAME_S) -> AsyncIterator[Talk]:
    """A line on which nothing was said yet."""
    loudspeaker, played = Loudspeaker(), PlayedSound()
    sink = RoomOutput(loudspeaker)
    line = EchoingLine(loudspeaker, gain=gain, frame_s=frame_s)
    talk = Talk(NotedOutput(sink, played), line)

    async def listen() -> None:
        async for frame in EchoCancelledInput(line, played):
            talk.heard.append(chunk_from(frame).to_float())

    listening = asyncio.create_task(listen())
    try:
        yield talk
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        await sink.aclose()


@pytest.fixture(scope="module")
def voice() -> Pcm32:
    """A reply: recorded, since a synthesizer's differs between processors."""
    lines = [
        load_voice("rms").line(text)
        for text in ("what are your opening hours", "where can i park", "ten thirty please")
    ]
    return np.concatenate([AudioChunk(line.samples, SPEECH_RATE).to_float() for line in lines])


@pytest.mark.parametrize("frame_s", [0.02, 0.032])
@in_virtual_time
async def test_the_agents_voice_is_taken_out(voice: Pcm32, frame_s: float) -> None:
    async with talking(gain=0.3, frame_s=frame_s) as talk:
        await asyncio.sleep(0.5)
        for _ in range(3):
            await talk.speak(voice)
            await asyncio.sleep(0.7)
        assert talk.level_db(1.5) < -50


@in_virtual_time
async def test_on_a_line_without_echo_the_caller_passes_untouched(voice: Pcm32) -> None:
    rng = np.random.default_rng(0)
    async with talking(gain=0.0) as talk:
        for _ in range(2):
            await talk.speak(voice)
        now = now_s()
        talk.line.caller = (rng.normal(size=round((now + 10) * SPEECH_RATE)) * 0.1).astype(np.float32)
        await talk.speak(voice)
        await asyncio.sleep(0.5)
        since = round((now + 0.1) * SPEECH_RATE)
        heard = np.concatenate(talk.heard)[since:]
        assert np.abs(heard - talk.line.caller[since : since + len(heard)]).max() < 1e-3


@in_virtual_time
async def test_while_the_agent_is_silent_nothing_is_touched(voice: Pcm32) -> None:
    rng = np.random.default_rng(0)
    async with talking(gain=0.3) as talk:
        await talk.speak(voice)
        await asyncio.sleep(2.0)
        now = now_s()
        talk.line.caller = (rng.normal(size=round((now + 2) * SPEECH_RATE)) * 0.1).astype(np.float32)
        await asyncio.sleep(1.0)
        since = round((now + 0.1) * SPEECH_RATE)
        heard = np.concatenate(talk.heard)[since:]
        assert np.abs(heard - talk.line.caller[since : since + len(heard)]).max() < 1e-3
