"""The demo profile's engines, each dying during a call so that one turn is lost. For `tests.call.worker`."""

import time
from collections.abc import AsyncIterator
from typing import Any

from serving.chat import ChatRequest, Priority
from serving.engine import SttStream, TtsStream, VadStream
from serving.errors import EngineDied
from serving.llm.ctranslate2 import CTranslate2Llm, CTranslate2LlmOptions, CTranslate2LlmStream
from serving.registry import Entry
from serving.speech import SpokenAudio, SttEvent
from serving.stt.faster_whisper import FasterWhisperEngine, FasterWhisperOptions
from serving.tts.piper import PiperEngine, PiperOptions

__all__ = ["ENGINES", "CTranslate2LlmOptions", "FasterWhisperOptions", "PiperOptions"]

ENGINES = {
    "llm": {"dying": Entry(__name__, "DyingLlm", "CTranslate2LlmOptions")},
    "stt": {"dying": Entry(__name__, "DyingStt", "FasterWhisperOptions")},
    "tts": {"dying": Entry(__name__, "DyingTts", "PiperOptions")},
}
FATAL_WORD = "parking"
DEATH_S = 1.5
"""Longer than a turn takes to end, shorter than it takes a caller to ask again."""


class DyingLlm(CTranslate2Llm):
    """Dies at every reply until a caller was waiting for one; works again once it is reloaded."""

    _refused = False
    _dead = False

    def load(self) -> None:
        super().load()
        self._dead = False

    def check(self) -> None:
        if self._dead:
            raise EngineDied("The language model is dead.")
        super().check()

    def open(self, request: ChatRequest) -> CTranslate2LlmStream:
        if not self._refused and request.priority is not Priority.BACKGROUND:
            self._refused = request.priority is Priority.CONFIRMED
            self._dead = True
        if self._dead:
            raise EngineDied("The language model is dead.")
        return super().open(request)


class DyingStt(FasterWhisperEngine):
    """Dies once, just before its first transcript."""

    died = False

    def open(self, voice_activity: VadStream | None = None) -> SttStream:
        return _DyingSttStream(super().open(voice_activity), self)


class _DyingSttStream:
    def __init__(self, stream: SttStream, engine: DyingStt) -> None:
        self._stream = stream
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    async def __aiter__(self) -> AsyncIterator[SttEvent]:
        async for event in self._stream:
            if not self._engine.died:
                self._engine.died = True
                raise EngineDied("Speech recognition is dead.")
            yield event


class DyingTts(PiperEngine):
    """Dies at the first reply with FATAL_WORD in it, and for a while at others, including the turn's second attempt."""

    works_from_s: float | None = None
    """On the monotonic clock."""

    def open(self) -> TtsStream:  # type: ignore[override]  # a stream of its own kind
        return _DyingTtsStream(super().open(), self)


class _DyingTtsStream:
    def __init__(self, stream: TtsStream, engine: DyingTts) -> None:
        self._stream = stream
        self._engine = engine
        self._fatal = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def push(self, text: str) -> None:
        if FATAL_WORD in text:
            self._engine.works_from_s = self._engine.works_from_s or time.monotonic() + DEATH_S
            self._fatal = time.monotonic() < self._engine.works_from_s
        self._stream.push(text)

    async def __aiter__(self) -> AsyncIterator[SpokenAudio]:
        async for spoken in self._stream:
            if self._fatal:
                raise EngineDied("Speech synthesis is dead.")
            yield spoken
