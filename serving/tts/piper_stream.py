"""One reply being spoken: takes pieces of text, gives their sentences' audio in order, with pauses between and continuous times."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from serving.audio import AudioChunk, Pcm16
from serving.bridge import Channel
from serving.errors import EngineDied, EngineError
from serving.speech import SpokenAudio, Word
from serving.tts.piper_voice import Sentence

_SENTENCE_ENDS = ".!?…"
_CLAUSE_ENDS = ",;:–—-"
_CLOSERS = "\"'”’)]»"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """How sentences are joined."""

    sample_rate: int
    """Hz."""
    chunk_s: float
    clause_pause_s: float
    sentence_pause_s: float


class SentenceSource(Protocol):
    """What speaks sentences, that is, the engine."""

    async def sentence(self, text: str, index: int, *, deadline_s: float) -> Sentence | None:
        """Sentence `index` of `text`, None if there are no more; earlier deadlines (monotonic clock) come first."""
        ...

    def remember(self, text: str, sentences: tuple[Sentence, ...]) -> None:
        """Cache what `text` sounds like, for when it is spoken again."""
        ...


class PiperStream:
    """One reply being spoken."""

    def __init__(self, source: SentenceSource, pacing: Pacing) -> None:
        self._source = source
        self._pacing = pacing
        self._pieces: asyncio.Queue[str | None] = asyncio.Queue()
        self._audio: Channel[SpokenAudio] = Channel()
        self._input_ended = False
        self._produced = 0
        self._first_audio_s = 0.0
        self._pause_s = 0.0
        self._task = asyncio.create_task(self._speak())

    def push(self, text: str) -> None:
        """Speak this next. Text without a letter or a digit makes no sound. Raises RuntimeError after end_input."""
        if self._audio.cancelled:
            return
        if self._input_ended:
            raise RuntimeError("push after end_input")
        self._pieces.put_nowait(text)

    def end_input(self) -> None:
        """No more text."""
        if not self._input_ended:
            self._input_ended = True
            self._pieces.put_nowait(None)

    def __aiter__(self) -> AsyncIterator[SpokenAudio]:
        """Audio in order; raises EngineError if the engine fails."""
        return self._audio.__aiter__()

    async def aclose(self) -> None:
        """Stop: no further sentence is synthesized, and no more audio comes out."""
        self._audio.cancel()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _speak(self) -> None:
        error: EngineError | None = None
        try:
            while (piece := await self._pieces.get()) is not None:
                await self._say(piece)
        except EngineError as failure:
            error = failure
        except asyncio.CancelledError:
            error = EngineDied("Piper was closed while it was speaking.")
            raise
        finally:
            self._audio.finish(error)

    async def _say(self, text: str) -> None:
        spoken: list[Sentence] = []
        while True:
            deadline_s = self._first_audio_s + self._produced / self._pacing.sample_rate
            sentence = await self._source.sentence(text, len(spoken), deadline_s=deadline_s or time.monotonic())
            if sentence is None:
                break
            if spoken:
                self._pause_s = max(self._pause_s, self._pacing.sentence_pause_s)
            self._hand_over(sentence)
            spoken.append(sentence)
        if spoken:
            self._source.remember(text, tuple(spoken))
            self._pause_s = pause_after(text, self._pacing)

    def _hand_over(self, sentence: Sentence) -> None:
        rate = self._pacing.sample_rate
        pause = np.zeros(round(self._pause_s * rate) if self._produced else 0, dtype=np.int16)
        self._pause_s = 0.0
        if self._produced == 0:
            self._first_audio_s = time.monotonic()
        offset_s = (self._produced + len(pause)) / rate
        words = [Word(word.text, word.start_s + offset_s, word.end_s + offset_s) for word in sentence.words]
        samples: Pcm16 = np.concatenate([pause, sentence.samples])
        step = max(1, round(self._pacing.chunk_s * rate))
        for start in range(0, len(samples), step):
            chunk = samples[start : start + step]
            self._produced += len(chunk)
            last = start + step >= len(samples)
            begin = [word for word in words if last or word.start_s < self._produced / rate]
            words = words[len(begin) :]
            self._audio.put(SpokenAudio(AudioChunk(chunk, rate), tuple(begin)))


def pause_after(text: str, pacing: Pacing) -> float:
    """Seconds of silence after a piece, by the punctuation it ends in."""
    last = text.rstrip().rstrip(_CLOSERS)[-1:]
    if last and last in _SENTENCE_ENDS:
        return pacing.sentence_pause_s
    if last and last in _CLAUSE_ENDS:
        return pacing.clause_pause_s
    return 0.0
