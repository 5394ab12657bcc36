"""Converts between LiveKit's audio frames and timed words and Callbox's."""

from collections.abc import AsyncIterator, Iterable

import numpy as np
from livekit import rtc
from livekit.agents.types import USERDATA_TIMED_TRANSCRIPT, TimedString

from serving.audio import AudioChunk
from serving.speech import SpokenAudio, Word

_CHUNK = "callbox.chunk"
"""Userdata key under which a frame caches its chunk."""


def chunk_from(frame: rtc.AudioFrame) -> AudioChunk:
    """The first channel of a frame as a chunk. Copies the samples."""
    samples = np.frombuffer(frame.data, dtype=np.int16)
    if frame.num_channels > 1:
        samples = samples[:: frame.num_channels]
    return AudioChunk(samples.copy(), frame.sample_rate)


def caller_chunk(frame: rtc.AudioFrame) -> AudioChunk:
    """A frame of the caller's audio as a chunk. It is cached on the frame, so all consumers of the frame share it."""
    chunk = frame.userdata.get(_CHUNK)
    if not isinstance(chunk, AudioChunk):
        chunk = frame.userdata[_CHUNK] = chunk_from(frame)
    return chunk


def frame_from(chunk: AudioChunk) -> rtc.AudioFrame:
    """A chunk as a mono frame."""
    return rtc.AudioFrame(chunk.samples.tobytes(), chunk.sample_rate, 1, len(chunk.samples))


def timed(word: Word, *, shift_s: float = 0.0) -> TimedString:
    """A word in LiveKit's form, shifted by `shift_s`; a space after it separates it from the next."""
    return TimedString(f"{word.text} ", start_time=word.start_s + shift_s, end_time=word.end_s + shift_s)


def words_of(frame: rtc.AudioFrame) -> list[Word]:
    """The words that begin in a frame of the agent's voice; times count from the start of the reply."""
    return [
        Word(str(word).strip(), float(word.start_time), float(word.end_time))
        for word in frame.userdata.get(USERDATA_TIMED_TRANSCRIPT, ())
    ]


def spoken_frame(spoken: SpokenAudio) -> rtc.AudioFrame:
    """A piece of synthesized speech as a frame that carries its words."""
    frame = frame_from(spoken.audio)
    frame.userdata[USERDATA_TIMED_TRANSCRIPT] = [timed(word) for word in spoken.words]
    return frame


async def spoken_frames(spoken: Iterable[SpokenAudio]) -> AsyncIterator[rtc.AudioFrame]:
    """Synthesized speech as frames, for `AgentSession.say(audio=...)`."""
    for piece in spoken:
        yield spoken_frame(piece)
