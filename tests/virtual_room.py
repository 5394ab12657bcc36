"""The two ends of a call without a room: a caller's microphone and loudspeaker, on the event loop's clock.

The loudspeaker is fed by LiveKit's own room output, with its 50 ms frames, its 200 ms queue that a pause discards, and its
reports of what was played; only the track at its end is replaced.
"""

import asyncio
import math
from dataclasses import dataclass
from typing import cast

import numpy as np
import pytest
from livekit import rtc
from livekit.agents.voice import io
from livekit.agents.voice.room_io._output import _ParticipantAudioOutput

from agent.replies.heard import STILL_HEARD_S
from serving.audio import SPEECH_RATE, Pcm16
from tests.scripted import ROOM_RATE, WORD_S, Sounds

FRAME_S = 0.032
"""One VAD window, so that times come out as round numbers."""


class Microphone(io.AudioInput):
    """What the caller sends: silence, except for the sounds that are scheduled."""

    def __init__(self) -> None:
        super().__init__(label="Microphone")
        self._samples = np.zeros(0, np.int16)
        self._started_at: float | None = None
        self._sent = 0

    def play(self, samples: Pcm16, *, at: float) -> None:
        """Schedule sound to start at loop time `at`, which must not have passed."""
        start = round((at - self._start()) * SPEECH_RATE)
        if start < self._sent:
            raise ValueError("That moment has passed.")
        self._samples = np.pad(self._samples, (0, max(0, start + len(samples) - len(self._samples))))
        self._samples[start : start + len(samples)] = samples

    def next_frame(self, at: float = 0.0) -> float:
        """Loop time at which the first frame begins that can still be filled, at or after loop time `at`."""
        frame = math.ceil(round((at - self._start()) / FRAME_S, 6))
        return self._start() + max(frame * FRAME_S, self._sent / SPEECH_RATE)

    @property
    def is_playing(self) -> bool:
        """Whether there is scheduled sound left to send."""
        return self._sent < len(self._samples)

    async def __anext__(self) -> rtc.AudioFrame:
        length = round(FRAME_S * SPEECH_RATE)
        self._sent += length
        due = self._start() + self._sent / SPEECH_RATE
        await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
        chunk = self._samples[self._sent - length : self._sent]
        samples = np.pad(chunk, (0, length - len(chunk)))
        return rtc.AudioFrame(samples.tobytes(), SPEECH_RATE, 1, length)

    def _start(self) -> float:
        if self._started_at is None:
            self._started_at = asyncio.get_running_loop().time()
        return self._started_at


@dataclass(slots=True)
class Played:
    """A stretch of sound that came out of the loudspeaker without a gap."""

    at: float
    """Loop time of its first sample."""
    samples: Pcm16

    @property
    def end(self) -> float:
        """Loop time after its last sample."""
        return self.at + len(self.samples) / ROOM_RATE


class Loudspeaker:
    """Stands in for the published track: plays in real time, behind a queue of 200 ms."""

    def __init__(self) -> None:
        self.played: list[Played] = []
        self._queue_s = 0.2
        self._drained: asyncio.Future[None] | None = None

    @property
    def queued_duration(self) -> float:
        """Seconds of sound not played yet."""
        return max(0.0, self._end() - asyncio.get_running_loop().time())

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Queue a frame, and wait until the queue is back to its size."""
        now = asyncio.get_running_loop().time()
        samples = np.frombuffer(frame.data, np.int16).copy()
        if self.played and self._end() >= now - 1e-9:
            self.played[-1].samples = np.concatenate([self.played[-1].samples, samples])
        else:
            self.played.append(Played(now, samples))
        await asyncio.sleep(max(0.0, self.queued_duration - self._queue_s))

    def clear_queue(self) -> None:
        """Drop what has not been played, except for what a packet and a jitter buffer hold."""
        kept_s = asyncio.get_running_loop().time() + STILL_HEARD_S
        keep = round((kept_s - self.played[-1].at) * ROOM_RATE) if self.played else 0
        if self.played:
            self.played[-1].samples = self.played[-1].samples[: max(0, keep)]
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    async def wait_for_playout(self) -> None:
        """Wait until the queue is empty."""
        self._drained = asyncio.get_running_loop().create_future()
        await asyncio.wait([self._drained], timeout=self.queued_duration)

    async def aclose(self) -> None:
        """Nothing to close."""

    def _end(self) -> float:
        return self.played[-1].end if self.played else 0.0


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word that came out of a loudspeaker, whole or in part."""

    text: str
    at: float
    """Loop time of its first sample that was played."""
    share: float
    """The share of it that was played."""


class RoomOutput(_ParticipantAudioOutput):
    """LiveKit's own room output on a Loudspeaker that is already subscribed."""

    def __init__(self, loudspeaker: Loudspeaker) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rtc, "AudioSource", lambda *args, **kwargs: loudspeaker)
            super().__init__(
                cast(rtc.Room, None),  # needed only to publish
                sample_rate=ROOM_RATE,
                num_channels=1,
                track_publish_options=rtc.TrackPublishOptions(),
            )
        self._subscribed_fut.set_result(None)
        self._forwarding_task = asyncio.create_task(self._forward_audio())


def heard(sounds: Sounds, loudspeaker: Loudspeaker) -> list[HeardWord]:
    """Every word that was played, in order. A word that a pause split appears once for each part."""
    words: list[HeardWord] = []
    for played in loudspeaker.played:
        for word, length_s in sounds.words(played.samples, rate=ROOM_RATE, at_s=played.at):
            words.append(HeardWord(word.text, word.start_s, length_s / WORD_S))
    return words
