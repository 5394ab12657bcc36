"""Audio frames of LiveKit and audio chunks of Callbox."""

import numpy as np
from livekit import rtc

from serving.audio import AudioChunk

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
