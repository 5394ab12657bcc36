"""A scripted TTS engine."""

import asyncio
from collections.abc import AsyncIterator

from serving.engine import TtsStream
from serving.errors import EngineDied
from serving.speech import SpokenAudio, Word
from serving.tts.piper_stream import Pacing, PiperStream
from serving.tts.piper_voice import Sentence
from tests.scripted.engine import ScriptedEngine
from tests.scripted.sounds import ROOM_RATE, WORD_S, Sounds


class ScriptedTts(ScriptedEngine):
    """Writes words into audio, in the product's own streams."""

    name = "tts"
    sample_rate = ROOM_RATE

    def __init__(self, sounds: Sounds, *, piece_s: float = 0.04) -> None:
        super().__init__()
        self.sounds = sounds
        self.piece_s = piece_s
        """How long a piece takes to synthesize, whatever its length."""
        self.streams: list[TtsStream] = []
        self.spoken: list[str] = []
        self.fails_to_open = 0

    def open(self) -> TtsStream:
        if self.fails_to_open:
            self.fails_to_open -= 1
            raise EngineDied("The tts engine is dead.")
        pacing = Pacing(sample_rate=ROOM_RATE, chunk_s=0.2, clause_pause_s=0.1, sentence_pause_s=0.2)
        self.streams.append(_WatchedTtsStream(PiperStream(self, pacing)))
        return self.streams[-1]

    async def sentence(self, text: str, index: int, *, deadline_s: float) -> Sentence | None:
        """Sentence `index` of `text`; each piece is one sentence. Fails if the engine is due to die."""
        words = [word for word in text.split() if any(char.isalnum() for char in word)]
        if index > 0 or not words:
            return None
        error = self.failure()
        await asyncio.sleep(self.piece_s)
        if error is not None:
            raise error
        self.spoken.append(text)
        samples = self.sounds.speech(" ".join(words), rate=ROOM_RATE)
        timed = tuple(Word(word, at * WORD_S, (at + 1) * WORD_S) for at, word in enumerate(words))
        return Sentence(samples, timed)

    def remember(self, text: str, sentences: tuple[Sentence, ...]) -> None:
        """Keep nothing."""


class _WatchedTtsStream:
    """A PiperStream that records its input."""

    def __init__(self, stream: PiperStream) -> None:
        self._stream = stream
        self.pieces: list[str] = []
        self.is_closed = False

    def push(self, text: str) -> None:
        self.pieces.append(text)
        self._stream.push(text)

    def end_input(self) -> None:
        self._stream.end_input()

    def __aiter__(self) -> AsyncIterator[SpokenAudio]:
        return self._stream.__aiter__()

    async def aclose(self) -> None:
        self.is_closed = True
        await self._stream.aclose()
