"""An audio output that can be paused and resumes at the start of the word that the pause cut off."""

import asyncio
import time
from enum import Enum

from livekit import rtc
from livekit.agents.voice import io

from agent.adapters.reply_sound import ReplySound
from agent.replies.heard import resume_at
from agent.replies.playout import Arrival, Segment, Step, step

RESUME_DELAY_S = 0.05
"""Delay before a reply that was cut off resumes: LiveKit may resume a reply that it is about to clear, which the caller would
hear as a click of speech."""


class _Line(Enum):
    """Whether replies may play."""

    OPEN = "open"
    PAUSED = "paused"


class ResumingOutput(io.AudioOutput):
    """Wraps the room's output, whose own pause drops up to 200 ms of audio that is then never played.

    Here a pause recalls at once what the sink has not played, and resuming continues from the start of the word that was cut
    off. For the session, a paused reply remains one segment with one start, one end, and the stretches that were played, in
    seconds from the reply's first sample.
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
        self._recall_done = asyncio.Event()
        """Clear while the segment is RECALLED."""
        self._recall_done.set()
        self._hand_over_lock = asyncio.Lock()
        self._resuming: asyncio.Task[None] | None = None

    @property
    def position_s(self) -> float:
        """How far the reply has played, in seconds from its first sample; 0.0 between replies."""
        reply = self._reply
        if reply is None:
            return 0.0
        if reply.segment_started_at is None:
            return reply.reached_s
        return reply.base / reply.rate + max(0.0, time.time() - reply.segment_started_at)

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        while self._reply is not None and self._reply.arrival.is_complete:
            await self._reply.finished.wait()
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
            is_all_sent = reply.sent == reply.samples and not self._hand_over_lock.locked()
            if is_all_sent or reply.arrival.is_cut:
                self._flush_sink()
        elif reply.arrival.is_cut or reply.is_all_played:
            self._finish(reply, interrupted=reply.arrival.is_cut)

    def clear_buffer(self) -> None:
        reply = self._reply
        if reply is None:
            return
        reply.arrival = reply.arrival.cut()
        self._stop_resuming()
        if self._segment is Segment.NONE:
            if reply.arrival.is_complete:
                self._finish(reply, interrupted=True)
        elif self._segment is not Segment.RECALLED:
            if reply.arrival.is_complete:
                self._flush_sink()
            self._sink.clear_buffer()

    def pause(self) -> None:
        self._line = _Line.PAUSED
        self._recall()

    def resume(self) -> None:
        if self._line is _Line.OPEN:
            return
        self._line = _Line.OPEN
        self._stop_resuming()
        if self._reply is not None:
            after_s = 0.0 if self._reply.started_at is None else RESUME_DELAY_S
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
        self._step(Step.FINISHED)
        if reply is None:
            return
        reply.reached_s = reply.base / reply.rate + playback_position
        reply.segment_started_at = None
        if not was_recalled:
            self._finish(reply, interrupted=interrupted)
        elif reply.arrival is Arrival.CUT:
            self._finish(reply, interrupted=True)
        elif not reply.arrival.is_cut:
            self._rewind(reply)

    def _rewind(self, reply: ReplySound) -> None:
        """Move back to where the reply resumes. A reply that was paused at its very end is finished."""
        reply.sent = min(reply.samples, round(resume_at(reply.words, reply.reached_s) * reply.rate))
        if reply.is_all_played:
            self._finish(reply, interrupted=False)

    def _finish(self, reply: ReplySound, *, interrupted: bool) -> None:
        self._reply = None
        self._stop_resuming()
        reply.finished.set()
        super().on_playback_finished(playback_position=reply.reached_s, interrupted=interrupted)

    def _step(self, taken: Step) -> None:
        self._segment = step(self._segment, taken)
        if self._segment is Segment.RECALLED:
            self._recall_done.clear()
        else:
            self._recall_done.set()

    def _flush_sink(self) -> None:
        # a second flush would cut short the sink's wait for its playout
        if self._segment in (Segment.FEEDING, Segment.OPEN):
            self._step(Step.FLUSH)
            self._sink.flush()

    def _stop_resuming(self) -> None:
        if self._resuming is not None:
            self._resuming.cancel()
            self._resuming = None

    def _recall(self) -> None:
        """Make the sink drop what it has not played and report how far it got."""
        before = self._segment
        if before in (Segment.OPEN, Segment.COMPLETE):
            self._step(Step.RECALL)
            if before is Segment.OPEN:
                self._sink.flush()
            self._sink.clear_buffer()

    async def _hand_over(self, reply: ReplySound, *, after_s: float = 0.0) -> None:
        """Give the sink the rest of the reply, unless a pause comes in between."""
        async with self._hand_over_lock:
            if after_s:
                await asyncio.sleep(after_s)
            await self._recall_done.wait()
            while self._line is _Line.OPEN and reply.has_more:
                await self._feed(reply)
            if self._line is _Line.PAUSED:
                self._recall()
            elif reply.arrival.is_complete and self._segment is not Segment.NONE and reply is self._reply:
                self._flush_sink()

    async def _feed(self, reply: ReplySound) -> None:
        """Give the sink the next frame, as soon as it has room."""
        frame = reply.next_frame()
        if self._segment is Segment.NONE:
            reply.base = reply.sent
        reply.sent += frame.samples_per_channel
        self._step(Step.FEED)
        try:
            await self._sink.capture_frame(frame)
        finally:
            self._step(Step.FED)

    @property
    def _sink(self) -> io.AudioOutput:
        sink = self.next_in_chain
        if sink is None:
            raise RuntimeError("ResumingOutput has no output to play to")
        return sink
