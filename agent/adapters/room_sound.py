"""The agent's own voice as the room plays it, frame by frame in step with what the agent hears."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from livekit import rtc

FRAME_MS = 20
"""Frame length of the room's input, and of the sound it is paired with."""
LATE_S = 0.1
"""Input waits no longer than this for its counterpart."""
MAX_QUEUED_FRAMES = 500
"""10 s. While a muted caller sends nothing, the agent's sound does not pile up beyond this."""
PATIENCE_FRAMES = 50
"""The two sides are out of step if they have been for this many frames; anything shorter is a stalled event loop, and passes."""


class RoomSound:
    """The agent's own track. One clock paces it and the room's input, so their frames pair by count, however late the event loop
    delivers them."""

    def __init__(self, stream: AsyncIterator[rtc.AudioFrameEvent]) -> None:
        """`stream`: frames of FRAME_MS. Call within the event loop."""
        self._frames: asyncio.Queue[rtc.AudioFrame] = asyncio.Queue(MAX_QUEUED_FRAMES)
        self._waiting: deque[int] = deque(maxlen=PATIENCE_FRAMES)
        """How many frames were queued at each request."""
        self._has_begun = False
        self._listening = asyncio.create_task(self._listen(stream))

    @classmethod
    def of(cls, track: rtc.LocalTrack, *, sample_rate: int) -> "RoomSound":
        """A published track's sound, in mono."""
        return cls(
            rtc.AudioStream.from_track(track=track, sample_rate=sample_rate, num_channels=1, frame_size_ms=FRAME_MS)
        )

    async def next(self) -> rtc.AudioFrame | None:
        """What was played while the input's next frame was recorded; None if unknown."""
        if self._frames.empty() and (self._listening.done() or not self._has_begun):
            return None
        self._waiting.append(self._frames.qsize())
        if self._is_held_up():
            return None
        self._drop_left_over()
        try:
            return await asyncio.wait_for(self._frames.get(), LATE_S)
        except TimeoutError:
            return None

    def close(self) -> None:
        """Stop listening."""
        self._listening.cancel()

    def _is_held_up(self) -> bool:
        """Whether every request had to wait: the track has lost frames, so the input goes ahead by one."""
        if len(self._waiting) < PATIENCE_FRAMES or any(self._waiting):
            return False
        self._waiting.clear()
        return True

    def _drop_left_over(self) -> None:
        """Drop frames that were queued at every request beyond the one requested: the input has lost their counterparts."""
        if len(self._waiting) == PATIENCE_FRAMES and (left_over := min(self._waiting) - 1) > 0:
            self._waiting.clear()
            for _ in range(left_over):
                self._frames.get_nowait()

    async def _listen(self, stream: AsyncIterator[rtc.AudioFrameEvent]) -> None:
        try:
            async for event in stream:
                self._has_begun = True
                if self._frames.full():
                    self._frames.get_nowait()
                self._frames.put_nowait(event.frame)
        finally:
            if isinstance(stream, rtc.AudioStream):
                await stream.aclose()
