"""Stock phrases, which can be said even without engines."""

import numpy as np
import pytest

from agent.replies.phrases import StockPhrase, synthesize_phrases
from serving.errors import EngineDied
from tests.scripted import ROOM_RATE, WORD_S, ScriptedTts, Sounds
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit


def words_in(phrase: StockPhrase, sounds: Sounds) -> list[str]:
    """The words in its audio."""
    samples = np.concatenate([piece.audio.samples for piece in phrase.spoken])
    return [word.text for word, _ in sounds.words(samples, rate=ROOM_RATE)]


@in_virtual_time
async def test_a_phrase_has_text_audio_and_word_times() -> None:
    tts = ScriptedTts(Sounds())
    phrases = await synthesize_phrases(tts, {"greeting": "welcome to us"})
    greeting = phrases["greeting"]
    assert greeting.text == "welcome to us"
    assert {piece.audio.sample_rate for piece in greeting.spoken} == {ROOM_RATE}
    assert words_in(greeting, tts.sounds) == ["welcome", "to", "us"]
    words = [word for piece in greeting.spoken for word in piece.words]
    assert [word.text for word in words] == ["welcome", "to", "us"]
    assert [word.start_s for word in words] == pytest.approx([0.0, WORD_S, 2 * WORD_S])


@in_virtual_time
async def test_a_phrase_can_be_played_without_an_engine() -> None:
    tts = ScriptedTts(Sounds())
    phrases = await synthesize_phrases(tts, {"sorry": "i am sorry"})
    tts.is_dead = True
    for _ in range(2):
        assert words_in(phrases["sorry"], tts.sounds) == ["i", "am", "sorry"]


@in_virtual_time
async def test_a_phrase_is_normalized_for_speech() -> None:
    tts = ScriptedTts(Sounds())
    await synthesize_phrases(tts, {"hours": "we open at 8:30"})
    assert tts.spoken == ["we open at eight thirty"]


@in_virtual_time
async def test_every_phrase_is_synthesized_and_its_stream_closed() -> None:
    tts = ScriptedTts(Sounds())
    phrases = await synthesize_phrases(tts, {"one": "first phrase", "two": "second phrase"})
    assert list(phrases) == ["one", "two"]
    assert all(phrase.spoken for phrase in phrases.values())
    assert all(stream.is_closed for stream in tts.streams)  # type: ignore[attr-defined]


@in_virtual_time
async def test_a_failing_tts_fails_the_startup() -> None:
    tts = ScriptedTts(Sounds())
    tts.is_dead = True
    with pytest.raises(EngineDied):
        await synthesize_phrases(tts, {"one": "first phrase"})
