"""Records what the session sends to its audio output, and what the output reports as played."""

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from livekit import rtc
from livekit.agents.voice import io

from agent.adapters.audio import words_of
from agent.replies.heard import Run
from serving.audio import Pcm16
from serving.speech import Word


@dataclass(slots=True)
class Taped:
    """One reply; times are time.time()."""

    frames: list[Pcm16] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    """What was played, as the output reports it."""
    started_at: float = 0.0
    """When its first frame was sent; 0.0 if none was."""
    cleared_at: float = 0.0
    """When it was cut; 0.0 if it was not."""
    is_interrupted: bool = False

    @property
    def samples(self) -> Pcm16:
        """The whole sound, at the output's rate, shape (n,)."""
        return np.concatenate(self.frames) if self.frames else np.zeros(0, np.int16)


class Tape(io.AudioOutput):
    """Sits between the session and its output without changing anything."""

    def __init__(self, output: io.AudioOutput) -> None:
        super().__init__(
            label="Tape",
            capabilities=io.AudioOutputCapabilities(pause=True),
            next_in_chain=output,
            sample_rate=output.sample_rate,
        )
        self.replies: list[Taped] = []
        self._output = output
        self._capturing = False

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        if not self._capturing:
            self._capturing = True
            self.replies.append(Taped())
        reply = self.replies[-1]
        reply.frames.append(np.frombuffer(frame.data, np.int16).copy())
        reply.words += words_of(frame)
        await self._output.capture_frame(frame)

    def flush(self) -> None:
        super().flush()
        self._capturing = False
        self._output.flush()

    def clear_buffer(self) -> None:
        if self.replies and not self.replies[-1].cleared_at:
            self.replies[-1].cleared_at = time.time()
        self._output.clear_buffer()

    def on_playback_started(self, *, created_at: float) -> None:
        if self.replies:
            self.replies[-1].started_at = created_at
        super().on_playback_started(created_at=created_at)

    def on_playback_progressed(self, *, started_at: float, offset: float, duration: float) -> None:
        if self.replies:
            self.replies[-1].runs.append(Run(offset, offset + duration))
        super().on_playback_progressed(started_at=started_at, offset=offset, duration=duration)

    def on_playback_finished(self, **finished: Any) -> None:
        if self.replies:
            self.replies[-1].is_interrupted = finished["interrupted"]
        super().on_playback_finished(**finished)
