"""What the caller says: lines cut into frames on an audio clock, and the exact position of each line on it.

The sample at position p of the recording is spoken at p / RATE. Frames are handed to the audio source LEAD_S ahead; its own
thread sends them at an even pace, as a sound card would. So a busy event loop does not make the caller stutter, to which jitter
buffers would react with delay. As with a microphone, a frame leaves when its last sample has been spoken: the first one FRAME_S
after the clock's origin.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from scripts.caller.clock import FRAME_S, FRAME_SAMPLES, RATE, AudioClock
from scripts.caller.loudspeaker import Loudspeaker
from scripts.caller.voice import Line
from serving.audio import Pcm16


class Kind(StrEnum):
    """Why something is said."""

    LINE = "line"
    """An ordinary line: the agent should answer it."""
    BARGE_IN = "barge_in"
    """Said over the agent, to take the floor: the agent should stop, then answer."""
    BACKCHANNEL = "backchannel"
    """Said over the agent without taking the floor: the agent should go on."""


@dataclass(slots=True, eq=False)
class Utterance:
    """A line as it is said; its position is known once its first frame is sent."""

    line: Line
    """The words and their samples."""
    kind: Kind = Kind.LINE
    """Why it is said."""
    start_sample: int | None = None
    """Position of the line's first sample in the recording."""
    handed_over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the last frame has been handed over, up to LEAD_S before it is spoken."""

    @property
    def end_sample(self) -> int | None:
        """Position just after the line's last sample."""
        return None if self.start_sample is None else self.start_sample + len(self.line.samples)


LEAD_S = 0.1
"""Longest stall of the event loop that cannot be heard at the other end."""
FLOOR_DBFS = -60.0
"""RMS noise of the microphone and the room. No microphone delivers digital silence, and speech models trained on recordings
judge a voice that ends in it worse than one that ends in a quiet room."""


class Mouth:
    """Speaks queued lines over the noise of a quiet room, one frame every FRAME_S seconds."""

    def __init__(self, *, floor_dbfs: float = FLOOR_DBFS) -> None:
        self._noise = np.random.default_rng(0).normal(0, 32768 * 10 ** (floor_dbfs / 20), (100, FRAME_SAMPLES))
        self.utterances: list[Utterance] = []
        """Every utterance begun so far, in order."""
        self.loudspeaker: Loudspeaker | None = None
        """Heard by the microphone too."""
        self._waiting: deque[Utterance] = deque()
        self._offset = 0
        self._sent: list[Pcm16] = []

    def say(self, line: Line, kind: Kind = Kind.LINE) -> Utterance:
        """Queue a line, which begins with the next frame or after the lines already queued."""
        utterance = Utterance(line, kind)
        self._waiting.append(utterance)
        return utterance

    def next_frame(self) -> Pcm16:
        """The next FRAME_SAMPLES samples, int16; only noise if nothing is queued."""
        frame = self._noise[len(self._sent) % len(self._noise)].copy()
        if self._waiting:
            utterance = self._waiting[0]
            if utterance.start_sample is None:
                utterance.start_sample = len(self._sent) * FRAME_SAMPLES
                self.utterances.append(utterance)
            piece = utterance.line.samples[self._offset : self._offset + FRAME_SAMPLES]
            frame[: len(piece)] += piece
            self._offset += FRAME_SAMPLES
            if self._offset >= len(utterance.line.samples):
                self._waiting.popleft()
                self._offset = 0
                utterance.handed_over.set()
        if self.loudspeaker is not None:
            frame += self.loudspeaker.frame(len(self._sent) * FRAME_SAMPLES)
        self._sent.append(np.clip(frame, -32768, 32767).astype(np.int16))
        return self._sent[-1]

    def recording(self) -> Pcm16:
        """Everything said so far, from the clock's origin, shape (n,)."""
        return np.concatenate(self._sent) if self._sent else np.zeros(0, np.int16)

    async def run(self, clock: AudioClock, send: Callable[[Pcm16], Awaitable[None]]) -> None:
        """Send frames LEAD_S ahead of the clock, until cancelled. The clock restarts with the first."""
        clock.restart(-FRAME_S)
        while True:
            due_s = (len(self._sent) + 1) * FRAME_S - LEAD_S
            await asyncio.sleep(max(0.0, due_s - clock.now_s()))
            await send(self.next_frame())


async def until_spoken(utterance: Utterance, clock: AudioClock) -> float:
    """Wait until the last sample is spoken. Returns its clock time."""
    await utterance.handed_over.wait()
    assert utterance.end_sample is not None
    end_s = utterance.end_sample / RATE
    await asyncio.sleep(max(0.0, end_s - clock.now_s()))
    return end_s
