"""The audio of one reply during playout: all that has arrived, and how much of it the sink has."""

import asyncio
from bisect import bisect_right
from dataclasses import dataclass, field

from livekit import rtc

from agent.adapters.audio import words_of
from agent.replies.playout import Arrival
from serving.speech import Word


@dataclass(slots=True)
class ReplySound:
    """Frames and words as they arrive from the TTS. `sent` moves back when a reply is paused and resumed."""

    rate: int
    arrival: Arrival = Arrival.ARRIVING
    frames: list[rtc.AudioFrame] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    """Index of each frame's first sample."""
    words: list[Word] = field(default_factory=list)
    samples: int = 0
    sent: int = 0
    """Samples from the start of the reply that the sink holds or has played."""
    base: int = 0
    """Index of the first sample in the sink's current segment."""
    started_at: float | None = None
    """When its first sample left, wall clock."""
    segment_started_at: float | None = None
    reached_s: float = 0.0
    """How far it has played, while the sink holds nothing of it."""
    finished: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, frame: rtc.AudioFrame) -> None:
        """Append the next frame, with the words that begin in it."""
        self.words += words_of(frame)
        if frame.samples_per_channel:
            self.frames.append(frame)
            self.starts.append(self.samples)
            self.samples += frame.samples_per_channel

    def next_frame(self) -> rtc.AudioFrame:
        """The audio from sample `sent` to the end of the frame that contains it."""
        at = bisect_right(self.starts, self.sent) - 1
        frame, skip = self.frames[at], self.sent - self.starts[at]
        if skip == 0:
            return frame
        data = bytes(frame.data)[2 * frame.num_channels * skip :]
        return rtc.AudioFrame(data, frame.sample_rate, frame.num_channels, frame.samples_per_channel - skip)

    @property
    def has_more(self) -> bool:
        """Whether there is audio that the sink should get next."""
        return not (self.arrival.is_cut or self.finished.is_set()) and self.sent < self.samples

    @property
    def is_all_played(self) -> bool:
        """Whether it is complete and played to its end, while the sink holds nothing of it."""
        return self.arrival.is_complete and self.reached_s * self.rate >= self.samples - 1
