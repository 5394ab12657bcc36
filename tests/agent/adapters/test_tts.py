"""LocalTts: tokens in, clauses to the engine, audio and word times out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest
from livekit.agents import APIError, tts
from livekit.agents.types import USERDATA_TIMED_TRANSCRIPT, TimedString

from agent.adapters.tts import LocalTts
from agent.call.events import EngineFailed
from serving.audio import Pcm16
from tests.published import Published
from tests.scripted import ROOM_RATE, WORD_S, ScriptedTts, Sounds
from tests.virtual_time import in_virtual_time

pytestmark = pytest.mark.unit


@dataclass(slots=True)
class Speaking:
    """A LocalTts stream, its engine, and everything that came out."""

    engine: ScriptedTts
    stream: tts.SynthesizeStream
    call: Published
    """The call's events."""
    sound: list[Pcm16] = field(default_factory=list)
    words: list[TimedString] = field(default_factory=list)
    error: Exception | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)

    async def collect(self) -> None:
        """Collect the output until it ends."""
        try:
            async for event in self.stream:
                self.sound.append(np.frombuffer(event.frame.data, np.int16))
                self.words += event.frame.userdata.get(USERDATA_TIMED_TRANSCRIPT, [])
        except APIError as error:
            self.error = error
        finally:
            self.done.set()

    def pieces(self) -> list[str]:
        """The pieces of text that the engine was given."""
        (stream,) = self.engine.streams
        return list(stream.pieces)  # type: ignore[attr-defined]

    def is_closed(self) -> bool:
        """Whether the engine's stream is closed."""
        (stream,) = self.engine.streams
        return bool(stream.is_closed)  # type: ignore[attr-defined]

    def heard(self) -> str:
        """The words in the audio."""
        samples = np.concatenate(self.sound) if self.sound else np.zeros(0, np.int16)
        return " ".join(word.text for word, _ in self.engine.sounds.words(samples, rate=ROOM_RATE))

    async def say(self, text: str) -> None:
        """Speak a whole reply, token by token."""
        for token in text.split(" "):
            self.stream.push_text(f"{token} ")
        self.stream.end_input()
        await self.done.wait()


@asynccontextmanager
async def speaking() -> AsyncIterator[Speaking]:
    """Open a stream for the duration of the context."""
    engine, call = ScriptedTts(Sounds()), Published()
    made = Speaking(engine, LocalTts(engine, events=call).stream(), call)
    collecting = asyncio.create_task(made.collect())
    try:
        yield made
    finally:
        await made.stream.aclose()
        await collecting


@in_virtual_time
async def test_every_written_word_is_spoken() -> None:
    async with speaking() as talk:
        await talk.say("we are open all day. come and see us.")
        assert talk.heard() == "we are open all day. come and see us."
        assert talk.error is None


@in_virtual_time
async def test_every_word_has_its_time() -> None:
    async with speaking() as talk:
        await talk.say("we are open all day.")
        assert [str(word) for word in talk.words] == ["we ", "are ", "open ", "all ", "day. "]
        assert [word.start_time for word in talk.words] == pytest.approx([at * WORD_S for at in range(5)])
        assert [word.end_time for word in talk.words] == pytest.approx([(at + 1) * WORD_S for at in range(5)])


@in_virtual_time
async def test_times_run_on_across_sentences_and_pauses() -> None:
    async with speaking() as talk:
        await talk.say("we are open all day. come and see us whenever you like.")
        (come,) = [word for word in talk.words if str(word) == "come "]
        assert come.start_time == pytest.approx(5 * WORD_S + 0.2)


@in_virtual_time
async def test_the_first_clause_is_spoken_before_the_rest_is_written() -> None:
    async with speaking() as talk:
        for token in ["yes, ", "we are open today, ", "and "]:
            talk.stream.push_text(token)
        await asyncio.sleep(1)
        assert len(talk.pieces()) == 1
        assert talk.heard().startswith("yes,")
        assert not talk.done.is_set()


@in_virtual_time
async def test_text_becomes_speakable_before_it_is_spoken() -> None:
    async with speaking() as talk:
        await talk.say("**It** is at 10:30.")
        assert talk.heard() == "It is at ten thirty."


@in_virtual_time
async def test_tokenization_makes_no_difference() -> None:
    text = "yes, we are open today. the lab is on the second floor, next to the stairs."
    async with speaking() as talk, speaking() as other:
        for char in text:
            talk.stream.push_text(char)
        talk.stream.end_input()
        await talk.done.wait()
        await other.say(text)
        assert talk.pieces() == other.pieces()


@pytest.mark.parametrize("text", ["...", "🙂", "** **", "- "])
@in_virtual_time
async def test_text_without_sound_is_not_a_failure(text: str) -> None:
    async with speaking() as talk:
        talk.stream.push_text(text)
        talk.stream.end_input()
        await talk.done.wait()
        assert talk.error is None
        assert talk.call.payloads == []
        assert not np.concatenate(talk.sound).any()
        assert talk.words == []


@in_virtual_time
async def test_no_text_is_not_a_failure() -> None:
    async with speaking() as talk:
        talk.stream.end_input()
        await talk.done.wait()
        assert (talk.error, talk.call.payloads) == (None, [])


@in_virtual_time
async def test_closing_the_stream_closes_the_engines_stream() -> None:
    async with speaking() as talk:
        talk.engine.piece_s = 5.0
        talk.stream.push_text("we are open all day. ")
        await asyncio.sleep(1)
        await talk.stream.aclose()
        assert talk.is_closed()
        await asyncio.sleep(10)
        assert talk.engine.spoken == []


@pytest.mark.parametrize("dies", ["when it is opened", "at its first piece", "at its second piece"])
@in_virtual_time
async def test_a_failure_is_published_and_not_retried(dies: str) -> None:
    async with speaking() as talk:
        talk.engine.fails_to_open = 1 if dies == "when it is opened" else 0
        talk.engine.dies_at.append(1 if dies == "at its first piece" else 2)
        await talk.say("my name is anna. we are open all day.")
        assert isinstance(talk.error, APIError)
        assert not talk.error.retryable
        assert "anna" not in str(talk.error)
        assert talk.call.payloads == [EngineFailed("tts", "EngineDied")]
        assert talk.heard() == ("my name is anna." if dies == "at its second piece" else "")
        assert all(stream.is_closed for stream in talk.engine.streams)  # type: ignore[attr-defined]


@in_virtual_time
async def test_a_whole_text_can_be_synthesized_at_once() -> None:
    engine = ScriptedTts(Sounds())
    stream = LocalTts(engine, events=Published()).synthesize("we are open")
    samples = np.concatenate([np.frombuffer(event.frame.data, np.int16) async for event in stream])
    await stream.aclose()
    assert [word.text for word, _ in engine.sounds.words(samples, rate=ROOM_RATE)] == ["we", "are", "open"]


@in_virtual_time
async def test_audio_has_the_engines_sample_rate() -> None:
    engine = ScriptedTts(Sounds())
    local = LocalTts(engine, events=Published())
    assert (local.sample_rate, local.num_channels) == (ROOM_RATE, 1)
    assert local.capabilities.streaming
    assert local.capabilities.aligned_transcript
    assert (local.model, local.provider) == ("tts", "callbox")
