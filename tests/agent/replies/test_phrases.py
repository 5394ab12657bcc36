"""Lines that can always be said."""

import numpy as np
import pytest
from livekit.agents.types import USERDATA_TIMED_TRANSCRIPT

from agent.replies.phrases import speak_stock_lines
from serving.errors import EngineDied
from tests.scripted import ROOM_RATE, WORD_S, ScriptedTts, Sounds
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit


@in_virtual_time
async def test_a_line_is_its_text_its_sound_and_its_word_times() -> None:
    tts = ScriptedTts(Sounds())
    lines = await speak_stock_lines(tts, {"greeting": "welcome to us"})
    assert lines["greeting"].text == "welcome to us"
    frames = [frame async for frame in lines["greeting"].frames()]
    assert {frame.sample_rate for frame in frames} == {ROOM_RATE}
    samples = np.concatenate([np.frombuffer(frame.data, np.int16) for frame in frames])
    assert [word.text for word, _ in tts.sounds.words(samples, rate=ROOM_RATE)] == ["welcome", "to", "us"]
    words = [word for frame in frames for word in frame.userdata[USERDATA_TIMED_TRANSCRIPT]]
    assert [str(word) for word in words] == ["welcome ", "to ", "us "]
    assert [word.start_time for word in words] == pytest.approx([0.0, WORD_S, 2 * WORD_S])


@in_virtual_time
async def test_a_line_can_be_said_again_without_the_engine() -> None:
    tts = ScriptedTts(Sounds())
    lines = await speak_stock_lines(tts, {"sorry": "i am sorry"})
    tts.is_dead = True
    for _ in range(2):
        assert [frame async for frame in lines["sorry"].frames()]


@in_virtual_time
async def test_a_line_is_made_speakable() -> None:
    tts = ScriptedTts(Sounds())
    await speak_stock_lines(tts, {"hours": "we open at 8:30"})
    assert tts.spoken == ["we open at eight thirty"]


@in_virtual_time
async def test_every_line_is_spoken_and_its_stream_closed() -> None:
    tts = ScriptedTts(Sounds())
    lines = await speak_stock_lines(tts, {"one": "first line", "two": "second line"})
    assert list(lines) == ["one", "two"]
    assert all(stream.is_closed for stream in tts.streams)  # type: ignore[attr-defined]


@in_virtual_time
async def test_a_voice_that_fails_stops_the_start() -> None:
    tts = ScriptedTts(Sounds())
    tts.is_dead = True
    with pytest.raises(EngineDied):
        await speak_stock_lines(tts, {"one": "first line"})
