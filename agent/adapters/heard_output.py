"""An audio output that tracks, word by word, what the caller has heard, and publishes it."""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from livekit import rtc
from livekit.agents import utils
from livekit.agents.voice import io

from agent.adapters.audio import words_of
from agent.adapters.resuming_output import ResumingOutput
from agent.call.events import AgentHeard, AgentStartedSpeaking, AgentStoppedSpeaking
from agent.call.spoken import Spoken
from agent.call.stream import EventStream
from agent.replies.heard import Run, heard_until, heard_words
from serving.speech import Word

PACE_S = 0.1
"""How often the words heard of the current reply are checked."""


@dataclass(slots=True)
class _Reply:
    """One reply on its way to the caller."""

    segment: str = field(default_factory=lambda: utils.shortuuid("agent_"))
    words: list[Word] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    shown: int = 0

    def heard(self, words: Sequence[Word], *, is_final: bool, is_interrupted: bool = False) -> AgentHeard:
        """The event that says which words were heard."""
        return AgentHeard(self.segment, Spoken(joined(words), tuple(words)), is_final, is_interrupted)


def joined(words: Iterable[Word]) -> str:
    """The words as one text."""
    return " ".join(word.text for word in words)


class HeardOutput(io.AudioOutput):
    """Wraps the room's output, so that an interrupted reply enters the history with exactly the words that were played.

    Needs a TTS with word times, at the output's own sample rate.
    """

    def __init__(self, next_in_chain: io.AudioOutput, events: EventStream) -> None:
        self._line = ResumingOutput(next_in_chain)
        super().__init__(
            label="Heard",
            capabilities=io.AudioOutputCapabilities(pause=True),
            next_in_chain=self._line,
            sample_rate=next_in_chain.sample_rate,
        )
        self._call_events = events
        self._replies: deque[_Reply] = deque()
        self._capturing = False
        self._pacing: asyncio.Task[None] | None = None

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        if not self._capturing:
            self._capturing = True
            self._replies.append(_Reply())
        self._replies[-1].words += words_of(frame)
        await self._line.capture_frame(frame)

    def flush(self) -> None:
        super().flush()
        self._capturing = False
        self._line.flush()

    def clear_buffer(self) -> None:
        self._line.clear_buffer()

    def on_playback_started(self, *, created_at: float) -> None:
        if self._replies:
            self._pacing = asyncio.create_task(self._pace(self._replies[0]))
            self._call_events.publish(AgentStartedSpeaking())
        super().on_playback_started(created_at=created_at)

    def on_playback_progressed(self, *, started_at: float, offset: float, duration: float) -> None:
        if self._replies:
            self._replies[0].runs.append(Run(offset, offset + duration))
        super().on_playback_progressed(started_at=started_at, offset=offset, duration=duration)

    def on_playback_finished(
        self, *, playback_position: float, interrupted: bool, synchronized_transcript: str | None = None
    ) -> None:
        if self._pacing is not None:
            self._pacing.cancel()
        if self._replies:
            reply = self._replies.popleft()
            heard: Sequence[Word] = reply.words
            if interrupted:
                heard = heard_words(reply.words, reply.runs or [Run(0.0, playback_position)])
            if interrupted or reply.words:
                # LiveKit puts it into the history if the caller, or a failing TTS, cuts the reply short
                synchronized_transcript = joined(heard)
            if reply.words:
                self._call_events.publish(reply.heard(heard, is_final=True, is_interrupted=interrupted))
            self._call_events.publish(AgentStoppedSpeaking(interrupted))
        super().on_playback_finished(
            playback_position=playback_position,
            interrupted=interrupted,
            synchronized_transcript=synchronized_transcript,
        )

    async def _pace(self, reply: _Reply) -> None:
        """Publish the words as they are spoken."""
        while True:
            heard = heard_until(reply.words, self._line.position_s)
            if len(heard) > reply.shown:
                reply.shown = len(heard)
                self._call_events.publish(reply.heard(heard, is_final=False))
            await asyncio.sleep(PACE_S)
