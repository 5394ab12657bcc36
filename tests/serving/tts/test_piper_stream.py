"""Joining sentences: order, pauses, chunks, word times, cancelling, failing."""

import asyncio

import numpy as np
import pytest

from serving.errors import EngineDied, EngineError
from serving.speech import SpokenAudio, Word
from serving.tts.piper_stream import Pacing, PiperStream, pause_after
from serving.tts.piper_voice import Sentence

pytestmark = pytest.mark.unit

PACING = Pacing(sample_rate=1_000, chunk_s=0.1, clause_pause_s=0.12, sentence_pause_s=0.3)


class Speaker:
    """Speaks each text as one sentence with 100 samples per word."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.deadlines: list[float] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: BaseException | None = None

    async def sentence(self, text: str, index: int, *, deadline_s: float) -> Sentence | None:
        words = [word for word in text.split() if word[0].isalpha()]
        if index > 0 or not words:
            return None
        self.asked.append(text)
        self.deadlines.append(deadline_s)
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        timed = tuple(Word(word, 0.1 * at, 0.1 * at + 0.1) for at, word in enumerate(words))
        return Sentence(np.full(100 * len(words), 7, dtype=np.int16), timed)

    def remember(self, text: str, sentences: tuple[Sentence, ...]) -> None:
        pass


async def said(speaker: Speaker, *pieces: str) -> list[SpokenAudio]:
    """Everything that comes out for the pieces."""
    stream = PiperStream(speaker, PACING)
    for piece in pieces:
        stream.push(piece)
    stream.end_input()
    return [chunk async for chunk in stream]


async def test_pieces_come_in_order_in_chunks_with_running_word_times() -> None:
    chunks = await said(Speaker(), "one two three,", "four.")
    words = [word for chunk in chunks for word in chunk.words]
    assert [word.text for word in words] == ["one", "two", "three,", "four."]
    assert [round(word.start_s, 3) for word in words] == [0.0, 0.1, 0.2, 0.42]
    assert all(len(chunk.audio.samples) <= 100 for chunk in chunks)
    assert sum(len(chunk.audio.samples) for chunk in chunks) == 300 + 120 + 100


async def test_each_word_comes_with_the_chunk_it_begins_in() -> None:
    start = 0
    for chunk in await said(Speaker(), "one two three,", "four five"):
        end = start + len(chunk.audio.samples)
        assert all(start - 1e-6 <= word.start_s * 1_000 < end + 1e-6 for word in chunk.words)
        start = end


async def test_there_is_no_pause_before_the_first_and_after_the_last_piece() -> None:
    samples = np.concatenate([chunk.audio.samples for chunk in await said(Speaker(), "one.")])
    assert (samples == 7).all()


async def test_a_piece_without_sound_changes_nothing() -> None:
    chunks = await said(Speaker(), "…", "one.", "—", "two.")
    assert sum(len(chunk.audio.samples) for chunk in chunks) == 100 + 300 + 100


async def test_nothing_pushed_gives_nothing() -> None:
    assert await said(Speaker()) == []


async def test_synthesis_begins_before_anyone_listens() -> None:
    speaker = Speaker()
    stream = PiperStream(speaker, PACING)
    stream.push("one")
    await asyncio.sleep(0.01)
    assert speaker.asked == ["one"]
    await stream.aclose()


async def test_later_pieces_are_due_when_the_audio_before_them_runs_out() -> None:
    speaker = Speaker()
    await said(speaker, "one two three four five six seven eight nine ten", "eleven")
    first, second = speaker.deadlines
    assert second - first == pytest.approx(1.0, abs=0.2)


async def test_after_closing_nothing_more_is_synthesized_or_heard() -> None:
    speaker = Speaker()
    stream = PiperStream(speaker, PACING)
    stream.push("one two three")
    heard = []
    async for chunk in stream:
        heard.append(chunk)
        speaker.gate.clear()
        stream.push("four")
        stream.push("five")
        await asyncio.sleep(0.01)
        await stream.aclose()
    assert len(heard) == 1
    assert speaker.asked == ["one two three", "four"]
    speaker.gate.set()
    stream.push("six")
    await asyncio.sleep(0.01)
    assert speaker.asked == ["one two three", "four"]
    await stream.aclose()


async def test_closing_ends_a_waiting_listener() -> None:
    stream = PiperStream(Speaker(), PACING)

    async def listen() -> list[SpokenAudio]:
        return [chunk async for chunk in stream]

    listener = asyncio.create_task(listen())
    await asyncio.sleep(0)
    await stream.aclose()
    assert await asyncio.wait_for(listener, 1) == []


async def test_a_failing_engine_is_reported_after_what_was_spoken() -> None:
    speaker = Speaker()
    stream = PiperStream(speaker, PACING)
    stream.push("one")
    chunks = aiter(stream)
    assert len((await anext(chunks)).audio.samples) == 100
    speaker.failure = EngineError("broken")
    stream.push("two")
    with pytest.raises(EngineError, match="broken"):
        await anext(chunks)


async def test_an_engine_closed_in_mid_reply_is_reported() -> None:
    speaker = Speaker()
    speaker.failure = asyncio.CancelledError()
    stream = PiperStream(speaker, PACING)
    stream.push("one")
    with pytest.raises(EngineDied):
        async for _ in stream:
            pass


async def test_pushing_after_the_end_is_a_mistake() -> None:
    stream = PiperStream(Speaker(), PACING)
    stream.end_input()
    with pytest.raises(RuntimeError):
        stream.push("one")
    await stream.aclose()


@pytest.mark.parametrize(
    ("text", "pause_s"),
    [
        ("yes.", 0.3),
        ("yes?”", 0.3),
        ("yes, ", 0.12),
        ("(yes;)", 0.12),
        ("yes", 0.0),
        ("", 0.0),
        ("wait…", 0.3),
        ("so —", 0.12),
    ],
)
def test_pauses_follow_punctuation(text: str, pause_s: float) -> None:
    assert pause_after(text, PACING) == pause_s
