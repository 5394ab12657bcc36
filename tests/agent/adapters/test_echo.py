"""The agent's voice comes back over a line: the canceller in front of a room's input, virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import numpy as np
import pytest
from livekit import rtc
from livekit.agents.voice import io

from agent.adapters.audio import chunk_from, frame_from
from agent.adapters.echo import EchoCancelledInput, needs_echo_cancellation
from agent.adapters.room_sound import FRAME_MS, RoomSound
from agent.settings import EchoCancelling
from scripts.bench.echo.paths import PATHS
from scripts.caller.voice import load_voice
from serving.audio import SPEECH_RATE, AudioChunk, Pcm32, pcm16
from tests.virtual_time import LOOP_STARTS_AT_S, in_virtual_time

pytestmark = pytest.mark.contract

FRAME_SAMPLES = SPEECH_RATE * FRAME_MS // 1000
WAY_SAMPLES = SPEECH_RATE // 5
"""There and back, beside the room."""


def now_samples() -> int:
    """Since the loop's clock began to run."""
    return round((asyncio.get_running_loop().time() - LOOP_STARTS_AT_S) * SPEECH_RATE)


@dataclass(slots=True)
class Talk:
    """A line with an echo, and what the agent hears on it."""

    gain: float
    played: Pcm32 = field(default_factory=lambda: np.zeros(120 * SPEECH_RATE, np.float32))
    """What the agent says, from the start of the call."""
    caller: Pcm32 = field(default_factory=lambda: np.zeros(120 * SPEECH_RATE, np.float32))
    """What the caller says, from the start of the call."""
    heard: list[Pcm32] = field(default_factory=list)
    """What the agent listens to, frame by frame."""
    response: Pcm32 = field(default_factory=lambda: PATHS["laptop"].response()[: SPEECH_RATE // 8])

    async def speak(self, voice: Pcm32) -> None:
        """A reply, to its end."""
        start = now_samples() // FRAME_SAMPLES * FRAME_SAMPLES + FRAME_SAMPLES
        self.played[start : start + len(voice)] = voice
        await asyncio.sleep((start + len(voice) - now_samples()) / SPEECH_RATE)

    async def track(self) -> AsyncIterator[rtc.AudioFrameEvent]:
        """What the room sends of it."""
        async for start in ticks():
            yield rtc.AudioFrameEvent(
                frame_from(AudioChunk(pcm16(self.played[start : start + FRAME_SAMPLES]), SPEECH_RATE))
            )

    def frame(self, start: int) -> rtc.AudioFrame:
        """What a microphone beside a loudspeaker hears, a while later."""
        first, tail = start - WAY_SAMPLES, len(self.response)
        sound = self.caller[start : start + FRAME_SAMPLES].copy()
        if first >= tail:
            source = self.played[first - tail : first + FRAME_SAMPLES]
            sound += self.gain * np.convolve(source, self.response)[tail : tail + FRAME_SAMPLES].astype(np.float32)
        return frame_from(AudioChunk(pcm16(sound), SPEECH_RATE))

    def level_db(self, start_s: float) -> float:
        """Of what is listened to, from a time on."""
        sound = np.concatenate(self.heard)[round(start_s * SPEECH_RATE) :]
        return float(10 * np.log10(np.mean(sound**2) + 1e-10))


async def ticks() -> AsyncIterator[int]:
    """The first sample of each frame, when its last one is over."""
    start = now_samples()
    while True:
        await asyncio.sleep((start + FRAME_SAMPLES - now_samples()) / SPEECH_RATE)
        yield start
        start += FRAME_SAMPLES


class Microphone(io.AudioInput):
    """The room's input."""

    def __init__(self, talk: Talk) -> None:
        super().__init__(label="Microphone")
        self._talk = talk
        self._ticks = ticks()

    async def __anext__(self) -> rtc.AudioFrame:
        return self._talk.frame(await anext(self._ticks))


@asynccontextmanager
async def talking(*, gain: float, needs: bool = True) -> AsyncIterator[Talk]:
    """A line on which nothing was said yet."""
    talk = Talk(gain)
    line = EchoCancelledInput(Microphone(talk), lambda: RoomSound(talk.track()) if needs else None)

    async def listen() -> None:
        async for frame in line:
            talk.heard.append(chunk_from(frame).to_float())

    listening = asyncio.create_task(listen())
    try:
        yield talk
    finally:
        line.close()
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening


@pytest.fixture(scope="module")
def voice() -> Pcm32:
    """A reply: recorded, since a synthesizer's differs between processors."""
    lines = [
        load_voice("rms").line(text)
        for text in ("what are your opening hours", "where can i park", "ten thirty please")
    ]
    return np.concatenate([AudioChunk(line.samples, SPEECH_RATE).to_float() for line in lines])


@in_virtual_time
async def test_the_agents_voice_is_taken_out(voice: Pcm32) -> None:
    async with talking(gain=0.3) as talk:
        await asyncio.sleep(0.5)
        for _ in range(3):
            await talk.speak(voice)
            await asyncio.sleep(0.7)
        assert talk.level_db(1.5) < -50


@in_virtual_time
async def test_a_line_that_needs_no_canceller_is_left_alone(voice: Pcm32) -> None:
    async with talking(gain=0.3, needs=False) as talk:
        await talk.speak(voice)
        await asyncio.sleep(0.5)
        assert talk.level_db(0.5) > -40


def noise() -> Pcm32:
    return (np.random.default_rng(0).normal(size=120 * SPEECH_RATE) * 0.1).astype(np.float32)


def assert_untouched(talk: Talk, since: int) -> None:
    heard = np.concatenate(talk.heard)[since:]
    assert len(heard) > SPEECH_RATE // 2
    assert np.abs(heard - talk.caller[since : since + len(heard)]).max() < 1e-3


@in_virtual_time
async def test_on_a_line_without_echo_the_caller_passes_untouched(voice: Pcm32) -> None:
    async with talking(gain=0.0) as talk:
        for _ in range(2):
            await talk.speak(voice)
        since = now_samples() + SPEECH_RATE // 10
        talk.caller[since:] = noise()[since:]
        await talk.speak(voice)
        await asyncio.sleep(0.5)
        assert_untouched(talk, since)


@in_virtual_time
async def test_while_the_agent_is_silent_nothing_is_touched(voice: Pcm32) -> None:
    async with talking(gain=0.3) as talk:
        await talk.speak(voice)
        await asyncio.sleep(2.0)
        since = now_samples() + SPEECH_RATE // 10
        talk.caller[since:] = noise()[since:]
        await asyncio.sleep(1.0)
        assert_untouched(talk, since)


@pytest.mark.parametrize(
    ("setting", "kind", "is_needed"),
    [
        ("auto", rtc.ParticipantKind.PARTICIPANT_KIND_SIP, True),
        ("auto", rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD, False),
        ("always", rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD, True),
        ("never", rtc.ParticipantKind.PARTICIPANT_KIND_SIP, False),
    ],
)
def test_telephone_callers_need_it(
    setting: EchoCancelling, kind: rtc.ParticipantKind.ValueType, is_needed: bool
) -> None:
    assert needs_echo_cancellation(setting, kind) is is_needed
