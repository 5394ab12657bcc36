"""The canceller in a call: an output that notes what is played, and an input from which its echo is taken."""

import time
from collections import deque

import numpy as np
import soxr
from livekit import rtc
from livekit.agents import AgentSession
from livekit.agents.voice import io

from agent.adapters.audio import chunk_from, frame_from, words_of
from agent.adapters.stt import LocalStt
from agent.turns.echo.canceller import LAG_S, EchoCanceller
from agent.turns.echo.linear import BLOCK_SAMPLES
from agent.turns.echo.played import PlayedSound
from agent.turns.echo.words import is_echo
from serving.audio import SPEECH_RATE, AudioChunk, Pcm16, pcm16

TAIL_S = 1.2
"""Echo is looked for so long after the last sample was played: the longest delay there is, and the room."""
LATE_S = 0.03
"""Frames that keep coming so much late are late for good."""
PATIENCE_FRAMES = 50


def cancel_echo(session: AgentSession[None]) -> None:
    """Take the agent's voice out of what a session hears, and out of its words. It has started, has an input and an output, and said nothing."""
    output, source = session.output.audio, session.input.audio
    if output is None or source is None:
        return
    played = PlayedSound()
    session.output.audio = NotedOutput(output, played)
    session.input.audio = cancelled = EchoCancelledInput(source, played)
    if isinstance(session.stt, LocalStt):
        session.stt.is_echo = lambda words: is_echo(words, played.words(), cancelled.delay_s)


class NotedOutput(io.AudioOutput):
    """Sits right before the room's output and notes what comes out of it, and when."""

    def __init__(self, next_in_chain: io.AudioOutput, played: PlayedSound) -> None:
        super().__init__(
            label="Noted",
            capabilities=io.AudioOutputCapabilities(pause=True),
            next_in_chain=next_in_chain,
            sample_rate=next_in_chain.sample_rate,
        )
        self._played = played
        self._resampler: soxr.ResampleStream | None = None

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        if self._resampler is None:
            self._resampler = soxr.ResampleStream(frame.sample_rate, SPEECH_RATE, 1, dtype="float32")
        self._played.captured(self._resampler.resample_chunk(chunk_from(frame).to_float()), words_of(frame))
        await self._sink.capture_frame(frame)

    def flush(self) -> None:
        super().flush()
        if self._resampler is not None:
            self._played.captured(self._resampler.resample_chunk(np.zeros(0, np.float32), last=True))
            self._resampler = None
        self._played.complete()
        self._sink.flush()

    def clear_buffer(self) -> None:
        self._sink.clear_buffer()

    def pause(self) -> None:
        self._played.paused()
        super().pause()

    def resume(self) -> None:
        self._played.resumed(time.time())
        super().resume()

    def on_playback_started(self, *, created_at: float) -> None:
        self._played.started(created_at)
        super().on_playback_started(created_at=created_at)

    def on_playback_progressed(self, *, started_at: float, offset: float, duration: float) -> None:
        self._played.progressed(offset, duration, time.time())
        super().on_playback_progressed(started_at=started_at, offset=offset, duration=duration)

    def on_playback_finished(
        self, *, playback_position: float, interrupted: bool, synchronized_transcript: str | None = None
    ) -> None:
        self._played.finished(time.time(), interrupted=interrupted)
        super().on_playback_finished(
            playback_position=playback_position,
            interrupted=interrupted,
            synchronized_transcript=synchronized_transcript,
        )

    @property
    def _sink(self) -> io.AudioOutput:
        sink = self.next_in_chain
        if sink is None:
            raise RuntimeError("NotedOutput was built without an output to play on")
        return sink


class _FrameClock:
    """When a frame was heard: frames count, their arrival is held up by whatever the event loop does."""

    def __init__(self) -> None:
        self._end_s: float | None = None
        self._late: deque[float] = deque(maxlen=PATIENCE_FRAMES)

    def end_s(self, duration_s: float, now_s: float) -> float:
        """Wall-clock time at which a frame ends that has arrived now."""
        if self._end_s is None or self._end_s + duration_s > now_s:
            self._late.clear()
            self._end_s = now_s  # nothing arrives before it was heard
            return now_s
        self._end_s += duration_s
        self._late.append(now_s - self._end_s)
        if len(self._late) == PATIENCE_FRAMES and (late := min(self._late)) > LATE_S:
            self._late.clear()
            self._end_s += late
        return self._end_s


class EchoCancelledInput(io.AudioInput):
    """The room's input (mono, SPEECH_RATE) without the agent's own voice. While nothing is or was just played, and as long
    as it never came back, frames pass untouched."""

    def __init__(self, source: io.AudioInput, played: PlayedSound) -> None:
        super().__init__(label="EchoCancelled", source=source)
        self._input = source
        self._played = played
        self._canceller = EchoCanceller()
        self._clock = _FrameClock()
        self._waiting: Pcm16 = np.zeros(0, np.int16)
        """Less than a block, if the input's frames are not blocks."""

    @property
    def delay_s(self) -> float | None:
        """How much later the agent's voice comes back out of here; None while it never did."""
        delay_s = self._canceller.delay_s
        return None if delay_s is None else delay_s + LAG_S

    async def __anext__(self) -> rtc.AudioFrame:
        while True:
            frame = await self._input.__anext__()
            end_s = self._clock.end_s(frame.duration, time.time())
            if not len(self._waiting) and not self._played.was_playing(end_s, TAIL_S):
                rest = pcm16(self._canceller.flush())
                return (
                    frame_from(AudioChunk(np.concatenate((rest, chunk_from(frame).samples)), SPEECH_RATE))
                    if len(rest)
                    else frame
                )
            self._waiting = np.concatenate((self._waiting, chunk_from(frame).samples))
            if len(self._waiting) >= BLOCK_SAMPLES and len(sound := self._cancelled(end_s)):
                return frame_from(AudioChunk(sound, SPEECH_RATE))

    def _cancelled(self, end_s: float) -> Pcm16:
        at_s = end_s - len(self._waiting) / SPEECH_RATE
        whole = len(self._waiting) // BLOCK_SAMPLES * BLOCK_SAMPLES
        played = self._played.block(at_s, whole)
        heard = AudioChunk(self._waiting[:whole], SPEECH_RATE).to_float()
        self._waiting = self._waiting[whole:]
        blocks = range(0, whole, BLOCK_SAMPLES)
        return pcm16(
            np.concatenate(
                [self._canceller.push(played[at : at + BLOCK_SAMPLES], heard[at : at + BLOCK_SAMPLES]) for at in blocks]
            )
        )
