"""LiveKit's audio frames as chunks, and back."""

import numpy as np
import pytest
from livekit import rtc
from livekit.agents.types import USERDATA_TIMED_TRANSCRIPT

from agent.adapters.audio import caller_chunk, chunk_from, frame_from, spoken_frame, spoken_frames, timed, words_of
from serving.audio import AudioChunk
from serving.speech import SpokenAudio, Word

pytestmark = pytest.mark.unit

SAMPLES = np.array([0, 1, -1, 32767, -32768, 12], np.int16)


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 48_000])
def test_a_round_trip_changes_nothing(rate: int) -> None:
    back = chunk_from(frame_from(AudioChunk(SAMPLES, rate)))
    assert back.samples.tolist() == SAMPLES.tolist()
    assert back.sample_rate == rate
    assert back.samples.dtype == np.int16


def test_a_frame_knows_its_length() -> None:
    frame = frame_from(AudioChunk(SAMPLES, 16_000))
    assert (frame.samples_per_channel, frame.num_channels, frame.sample_rate) == (6, 1, 16_000)


def test_only_the_first_channel_is_used() -> None:
    stereo = np.stack([SAMPLES, SAMPLES[::-1]], axis=1)
    frame = rtc.AudioFrame(stereo.tobytes(), 48_000, 2, len(SAMPLES))
    assert chunk_from(frame).samples.tolist() == SAMPLES.tolist()


def test_the_chunk_is_a_copy() -> None:
    data = bytearray(SAMPLES.tobytes())
    frame = rtc.AudioFrame(data, 16_000, 1, len(SAMPLES))
    chunk = chunk_from(frame)
    memoryview(frame.data).cast("B")[:] = bytes(len(data))
    assert chunk.samples.tolist() == SAMPLES.tolist()
    assert chunk.samples.flags.writeable


def test_an_empty_frame_is_an_empty_chunk() -> None:
    assert len(chunk_from(frame_from(AudioChunk(np.zeros(0, np.int16), 16_000))).samples) == 0


def test_a_callers_frame_is_converted_only_once() -> None:
    frame = frame_from(AudioChunk(SAMPLES, 16_000))
    first = caller_chunk(frame)
    assert first.samples.tolist() == SAMPLES.tolist()
    assert caller_chunk(frame).to_float() is first.to_float()
    assert not first.to_float().flags.writeable
    assert caller_chunk(frame_from(AudioChunk(SAMPLES, 16_000))) is not first


def test_words_survive_the_round_trip_through_livekit() -> None:
    words = (Word("good", 0.1, 0.4), Word("morning", 0.5, 0.9))
    frame = spoken_frame(SpokenAudio(AudioChunk(SAMPLES, 24_000), words))
    assert chunk_from(frame).samples.tolist() == SAMPLES.tolist()
    assert [str(word) for word in frame.userdata[USERDATA_TIMED_TRANSCRIPT]] == ["good ", "morning "]
    assert words_of(frame) == list(words)
    assert words_of(frame_from(AudioChunk(SAMPLES, 24_000))) == []


async def test_synthesized_speech_can_be_played_again_and_again() -> None:
    words = [Word("good", 0.0, 0.4), Word("morning", 0.5, 0.9)]
    spoken = [SpokenAudio(AudioChunk(SAMPLES * at, 24_000), (word,)) for at, word in enumerate(words)]
    for _ in range(2):
        frames = [frame async for frame in spoken_frames(spoken)]
        assert [chunk_from(frame).samples.tolist() for frame in frames] == [
            piece.audio.samples.tolist() for piece in spoken
        ]
        assert [words_of(frame) for frame in frames] == [[word] for word in words]


def test_a_word_is_shifted_by_its_clocks_start() -> None:
    word = timed(Word("good", 0.1, 0.4), shift_s=20.0)
    assert (word.start_time, word.end_time) == (20.1, 20.4)
