"""A voice output that can be held and goes on where it stopped, at the beginning of a word."""

import asyncio
import time
from bisect import bisect_right
from dataclasses import dataclass, field

from livekit import rtc
from livekit.agents.voice import io

from agent.adapters.audio import words_of
from agent.replies.heard import resume_at
from serving.speech import Word

SECOND_THOUGHT_S = 0.05
"""A reply that was broken off goes on only after this: LiveKit may resume a reply that it is about to clear, which the caller
would hear as a click of speech."""


@dataclass(slots=True)
class _Reply:
    """One reply: all its sound, and how much of it the sink has."""

    rate: int
    frames: list[rtc.AudioFrame] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    """The first sample of each frame."""
    words: list[Word] = field(default_factory=list)
    samples: int = 0
    sent: int = 0
    """Samples, from the reply's first, that the sink has or has played."""
    base: int = 0
    """The sample with which the sink's present segment begins."""
    segment_started_at: float | None = None
    reached_s: float = 0.0
    """How far it was played, while nothing of it is in the sink."""
    has_started: bool = False
    is_complete: bool = False
    is_cleared: bool = False
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
    def is_all_played(self) -> bool:
        """Whether it is held, and nothing of it is left to play."""
        return self.is_complete and self.reached_s * self.rate >= self.samples - 1


class ResumingOutput(io.AudioOutput):
    """Sits on the room's output, whose own pause drops up to 200 ms of sound that it never plays.

    Here a pause takes back what the sink has not played, at once, and resuming plays on from the beginning of the word that
    was broken off. For the session a held reply stays one segment: it is told of one start, one end, and of the stretches
    that were played, in seconds from the reply's first sample.
    """

    def __init__(self, sink: io.AudioOutput) -> None:
        super().__init__(
            label="Resuming",
            capabilities=io.AudioOutputCapabilities(pause=True),
            next_in_chain=sink,
            sample_rate=sink.sample_rate,
        )
        self._reply: _Reply | None = None
        self._is_paused = False
        self._is_on_air = False
        """Whether the sink has a segment of the reply."""
        self._is_flushed = False
        """Whether that segment is complete."""
        self._is_handing_over = False
        self._taken_back = asyncio.Event()
        """Cleared from a pause until the sink has said how far it got."""
        self._taken_back.set()
        self._turn = asyncio.Lock()
        self._resuming: asyncio.Task[None] | None = None

    @property
    def position_s(self) -> float:
        """How far the reply has left, in seconds from its first sample; 0.0 between replies."""
        reply = self._reply
        if reply is None:
            return 0.0
        if reply.segment_started_at is None:
            return reply.reached_s
        return reply.base / reply.rate + max(0.0, time.time() - reply.segment_started_at)

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        while self._reply is not None and self._reply.is_complete:
            await self._reply.over.wait()
        await super().capture_frame(frame)
        if self._reply is None:
            self._reply = _Reply(frame.sample_rate)
        reply = self._reply
        reply.add(frame)
        await self._hand_over(reply)

    def flush(self) -> None:
        super().flush()
        reply = self._reply
        if reply is None:
            return
        reply.is_complete = True
        if self._is_on_air:
            is_all_sent = reply.sent == reply.samples and not self._turn.locked()
            if is_all_sent or reply.is_cleared:
                self._flush_sink()
        elif reply.is_cleared or reply.is_all_played:
            self._over(reply, interrupted=reply.is_cleared)

    def clear_buffer(self) -> None:
        reply = self._reply
        if reply is None:
            return
        reply.is_cleared = True
        self._stop_resuming()
        if self._is_on_air and self._taken_back.is_set():
            if reply.is_complete:
                self._flush_sink()
            self._sink.clear_buffer()
        elif not self._is_on_air and reply.is_complete:
            self._over(reply, interrupted=True)

    def pause(self) -> None:
        self._is_paused = True
        if not self._is_handing_over:
            self._take_back()

    def resume(self) -> None:
        if not self._is_paused:
            return
        self._is_paused = False
        self._stop_resuming()
        if self._reply is not None:
            after_s = SECOND_THOUGHT_S if self._reply.has_started else 0.0
            self._resuming = asyncio.create_task(self._hand_over(self._reply, after_s=after_s))

    def on_playback_started(self, *, created_at: float) -> None:
        reply = self._reply
        if reply is None:
            return
        reply.segment_started_at = created_at
        if not reply.has_started:
            reply.has_started = True
            super().on_playback_started(created_at=created_at)

    def on_playback_progressed(self, *, started_at: float, offset: float, duration: float) -> None:
        base_s = 0.0 if self._reply is None else self._reply.base / self._reply.rate
        super().on_playback_progressed(started_at=started_at, offset=base_s + offset, duration=duration)

    def on_playback_finished(
        self, *, playback_position: float, interrupted: bool, synchronized_transcript: str | None = None
    ) -> None:
        reply = self._reply
        self._is_on_air = False
        was_taken_back = not self._taken_back.is_set()
        self._taken_back.set()
        if reply is None:
            return
        reply.reached_s = reply.base / reply.rate + playback_position
        reply.segment_started_at = None
        if not was_taken_back:
            self._over(reply, interrupted=interrupted)
        elif reply.is_cleared:
            if reply.is_complete:
                self._over(reply, interrupted=True)
        else:
            self._rewind(reply)

    def _rewind(self, reply: _Reply) -> None:
        """Go back to where the reply is to go on; a reply that was held at its very end is over."""
        reply.sent = min(reply.samples, round(resume_at(reply.words, reply.reached_s) * reply.rate))
        if reply.is_all_played:
            self._over(reply, interrupted=False)

    def _over(self, reply: _Reply, *, interrupted: bool) -> None:
        self._reply = None
        self._stop_resuming()
        reply.over.set()
        super().on_playback_finished(playback_position=reply.reached_s, interrupted=interrupted)

    def _flush_sink(self) -> None:
        if not self._is_flushed:  # again would end the wait for its playout
            self._is_flushed = True
            self._sink.flush()

    def _stop_resuming(self) -> None:
        if self._resuming is not None:
            self._resuming.cancel()
            self._resuming = None

    def _take_back(self) -> None:
        """Have the sink drop what it has not played, and say how far it got."""
        if self._is_on_air and self._taken_back.is_set():
            self._taken_back.clear()
            self._flush_sink()
            self._sink.clear_buffer()

    async def _hand_over(self, reply: _Reply, *, after_s: float = 0.0) -> None:
        """Give the sink all it has not got of the reply, unless a pause comes in between."""
        async with self._turn:
            if after_s:
                await asyncio.sleep(after_s)
            await self._taken_back.wait()
            while not (self._is_paused or reply.is_cleared or reply.over.is_set()) and reply.sent < reply.samples:
                frame = reply.next_frame()
                if not self._is_on_air:
                    self._is_on_air, self._is_flushed, reply.base = True, False, reply.sent
                reply.sent += frame.samples_per_channel
                self._is_handing_over = True
                try:
                    await self._sink.capture_frame(frame)
                finally:
                    self._is_handing_over = False
            if self._is_paused:
                self._take_back()
            elif reply.is_complete and self._is_on_air and reply is self._reply:
                self._flush_sink()

    @property
    def _sink(self) -> io.AudioOutput:
        sink = self.next_in_chain
        if sink is None:
            raise RuntimeError("ResumingOutput was built without an output to play on")
        return sink
