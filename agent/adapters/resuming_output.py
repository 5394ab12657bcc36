"""A voice output that can be held and goes on where it stopped, at the beginning of a word."""

import asyncio
import time
from enum import Enum

from livekit import rtc
from livekit.agents.voice import io

from agent.adapters.reply_sound import ReplySound
from agent.replies.heard import resume_at
from agent.replies.playout import Arrival, Segment, Step, step

SECOND_THOUGHT_S = 0.05
"""A reply that was broken off goes on only after this: LiveKit may resume a reply that it is about to clear, which the caller
would hear as a click of speech."""


class _Line(Enum):
    """Whether replies go out."""

    OPEN = "open"
    HELD = "held"


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
        self._reply: ReplySound | None = None
        self._line = _Line.OPEN
        self._segment = Segment.NONE
        self._taken_back = asyncio.Event()
        """Set unless the segment is RECALLED."""
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
        while self._reply is not None and self._reply.arrival.is_complete:
            await self._reply.over.wait()
        await super().capture_frame(frame)
        if self._reply is None:
            self._reply = ReplySound(frame.sample_rate)
        reply = self._reply
        reply.add(frame)
        await self._hand_over(reply)

    def flush(self) -> None:
        super().flush()
        reply = self._reply
        if reply is None:
            return
        reply.arrival = reply.arrival.completed()
        if self._segment is not Segment.NONE:
            is_all_sent = reply.sent == reply.samples and not self._turn.locked()
            if is_all_sent or reply.arrival.is_cut:
                self._flush_sink()
        elif reply.arrival.is_cut or reply.is_all_played:
            self._over(reply, interrupted=reply.arrival.is_cut)

    def clear_buffer(self) -> None:
        reply = self._reply
        if reply is None:
            return
        reply.arrival = reply.arrival.cut()
        self._stop_resuming()
        if self._segment is Segment.NONE:
            if reply.arrival.is_complete:
                self._over(reply, interrupted=True)
        elif self._segment is not Segment.RECALLED:
            if reply.arrival.is_complete:
                self._flush_sink()
            self._sink.clear_buffer()

    def pause(self) -> None:
        self._line = _Line.HELD
        self._take_back()

    def resume(self) -> None:
        if self._line is _Line.OPEN:
            return
        self._line = _Line.OPEN
        self._stop_resuming()
        if self._reply is not None:
            after_s = 0.0 if self._reply.started_at is None else SECOND_THOUGHT_S
            self._resuming = asyncio.create_task(self._hand_over(self._reply, after_s=after_s))

    def on_playback_started(self, *, created_at: float) -> None:
        reply = self._reply
        if reply is None:
            return
        reply.segment_started_at = created_at
        if reply.started_at is None:
            reply.started_at = created_at
            super().on_playback_started(created_at=created_at)

    def on_playback_progressed(self, *, started_at: float, offset: float, duration: float) -> None:
        base_s = 0.0 if self._reply is None else self._reply.base / self._reply.rate
        super().on_playback_progressed(started_at=started_at, offset=base_s + offset, duration=duration)

    def on_playback_finished(
        self, *, playback_position: float, interrupted: bool, synchronized_transcript: str | None = None
    ) -> None:
        reply, was_recalled = self._reply, self._segment is Segment.RECALLED
        self._take(Step.FINISHED)
        if reply is None:
            return
        reply.reached_s = reply.base / reply.rate + playback_position
        reply.segment_started_at = None
        if not was_recalled:
            self._over(reply, interrupted=interrupted)
        elif reply.arrival is Arrival.CUT:
            self._over(reply, interrupted=True)
        elif not reply.arrival.is_cut:
            self._rewind(reply)

    def _rewind(self, reply: ReplySound) -> None:
        """Go back to where the reply is to go on; a reply that was held at its very end is over."""
        reply.sent = min(reply.samples, round(resume_at(reply.words, reply.reached_s) * reply.rate))
        if reply.is_all_played:
            self._over(reply, interrupted=False)

    def _over(self, reply: ReplySound, *, interrupted: bool) -> None:
        self._reply = None
        self._stop_resuming()
        reply.over.set()
        super().on_playback_finished(playback_position=reply.reached_s, interrupted=interrupted)

    def _take(self, taken: Step) -> None:
        self._segment = step(self._segment, taken)
        if self._segment is Segment.RECALLED:
            self._taken_back.clear()
        else:
            self._taken_back.set()

    def _flush_sink(self) -> None:
        if self._segment in (Segment.FEEDING, Segment.OPEN):  # a second flush would end the wait for its playout
            self._take(Step.FLUSH)
            self._sink.flush()

    def _stop_resuming(self) -> None:
        if self._resuming is not None:
            self._resuming.cancel()
            self._resuming = None

    def _take_back(self) -> None:
        """Have the sink drop what it has not played, and say how far it got."""
        before = self._segment
        if before in (Segment.OPEN, Segment.COMPLETE):
            self._take(Step.RECALL)
            if before is Segment.OPEN:
                self._sink.flush()
            self._sink.clear_buffer()

    async def _hand_over(self, reply: ReplySound, *, after_s: float = 0.0) -> None:
        """Give the sink all it has not got of the reply, unless a pause comes in between."""
        async with self._turn:
            if after_s:
                await asyncio.sleep(after_s)
            await self._taken_back.wait()
            while self._line is _Line.OPEN and reply.goes_on:
                await self._feed(reply)
            if self._line is _Line.HELD:
                self._take_back()
            elif reply.arrival.is_complete and self._segment is not Segment.NONE and reply is self._reply:
                self._flush_sink()

    async def _feed(self, reply: ReplySound) -> None:
        """The next frame, as soon as the sink has room for it."""
        frame = reply.next_frame()
        if self._segment is Segment.NONE:
            reply.base = reply.sent
        reply.sent += frame.samples_per_channel
        self._take(Step.FEED)
        try:
            await self._sink.capture_frame(frame)
        finally:
            self._take(Step.FED)

    @property
    def _sink(self) -> io.AudioOutput:
        sink = self.next_in_chain
        if sink is None:
            raise RuntimeError("ResumingOutput was built without an output to play on")
        return sink
