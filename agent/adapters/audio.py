"""LiveKit's audio frames and timed words as Callbox's, and back."""

from collections.abc import AsyncIterator, Iterable

import numpy as np
from livekit import rtc
from livekit.agents.types import USERDATA_TIMED_TRANSCRIPT, TimedString

from serving.audio import AudioChunk
from serving.speech import SpokenAudio, Word

_CHUNK = "callbox.chunk"
"""Key of a frame's userdata."""


def chunk_from(frame: rtc.AudioFrame) -> AudioChunk:
    """A mono frame as a chunk; of several channels the first is taken. The samples are copied."""
    samples = np.frombuffer(frame.data, dtype=np.int16)
    if frame.num_channels > 1:
        samples = samples[:: frame.num_channels]
    return AudioChunk(samples.copy(), frame.sample_rate)


def caller_chunk(frame: rtc.AudioFrame) -> AudioChunk:
    """A frame of the caller's as a chunk. The frame keeps it: everybody who is given the frame gets the same one."""
    chunk = frame.userdata.get(_CHUNK)
    if not isinstance(chunk, AudioChunk):
        chunk = frame.userdata[_CHUNK] = chunk_from(frame)
    return chunk


def frame_from(chunk: AudioChunk) -> rtc.AudioFrame:
    """A chunk as a mono frame."""
    return rtc.AudioFrame(chunk.samples.tobytes(), chunk.sample_rate, 1, len(chunk.samples))


def timed(word: Word, *, shift_s: float = 0.0) -> TimedString:
    """A word as LiveKit has it, so much later: with the space that parts it from the next."""
    return TimedString(f"{word.text} ", start_time=word.start_s + shift_s, end_time=word.end_s + shift_s)


def words_of(frame: rtc.AudioFrame) -> list[Word]:
    """The words that begin in a frame of the agent's voice; times count from the beginning of the reply."""
    return [
        Word(str(word).strip(), float(word.start_time), float(word.end_time))
        for word in frame.userdata.get(USERDATA_TIMED_TRANSCRIPT, ())
    ]


def spoken_frame(spoken: SpokenAudio) -> rtc.AudioFrame:
    """A piece of the agent's voice as a frame that carries its words."""
    frame = frame_from(spoken.audio)
    frame.userdata[USERDATA_TIMED_TRANSCRIPT] = [timed(word) for word in spoken.words]
    return frame


async def spoken_frames(spoken: Iterable[SpokenAudio]) -> AsyncIterator[rtc.AudioFrame]:
    """Synthesized speech as frames, for `AgentSession.say(audio=...)`."""
    for piece in spoken:
        yield spoken_frame(piece)
