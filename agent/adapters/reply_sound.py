"""The sound of one reply on its way out: all of it, and how much the sink has."""

import asyncio
from bisect import bisect_right
from dataclasses import dataclass, field

from livekit import rtc

from agent.adapters.audio import words_of
from agent.replies.playout import Arrival
from serving.speech import Word


@dataclass(slots=True)
class ReplySound:
    """Frames and words as they come from the voice; `sent` moves back when a reply is held and goes on."""

    rate: int
    arrival: Arrival = Arrival.ARRIVING
    frames: list[rtc.AudioFrame] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    """The first sample of each frame."""
    words: list[Word] = field(default_factory=list)
    samples: int = 0
    sent: int = 0
    """Samples, from the reply's first, that the sink has or has played."""
    base: int = 0
    """The sample with which the sink's present segment begins."""
    started_at: float | None = None
    """When its first sound left."""
    segment_started_at: float | None = None
    reached_s: float = 0.0
    """How far it was played, while nothing of it is in the sink."""
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, frame: rtc.AudioFrame) -> None:
        """The next of its sound, with the words that begin in it."""
        self.words += words_of(frame)
        if frame.samples_per_channel:
            self.frames.append(frame)
            self.starts.append(self.samples)
            self.samples += frame.samples_per_channel

    def next_frame(self) -> rtc.AudioFrame:
        """The sound from sample `sent` on, to the end of the frame that it is in."""
        at = bisect_right(self.starts, self.sent) - 1
        frame, skip = self.frames[at], self.sent - self.starts[at]
        if skip == 0:
            return frame
        data = bytes(frame.data)[2 * frame.num_channels * skip :]
        return rtc.AudioFrame(data, frame.sample_rate, frame.num_channels, frame.samples_per_channel - skip)

    @property
    def goes_on(self) -> bool:
        """Whether the sink should have more of it."""
        return not (self.arrival.is_cut or self.over.is_set()) and self.sent < self.samples

    @property
    def is_all_played(self) -> bool:
        """Whether it is held, and nothing of it is left to play."""
        return self.arrival.is_complete and self.reached_s * self.rate >= self.samples - 1
