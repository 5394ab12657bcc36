"""Stock phrases, synthesized once at startup, so that they can be said even when every engine has failed."""

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass

from agent.speech.speakable import Speakable
from serving.engine import TtsEngine
from serving.speech import SpokenAudio


@dataclass(frozen=True, slots=True)
class StockPhrase:
    """A phrase and its audio."""

    text: str
    spoken: tuple[SpokenAudio, ...]


async def synthesize_phrases(tts: TtsEngine, texts: Mapping[str, str]) -> dict[str, StockPhrase]:
    """Synthesize every phrase; keyed like `texts`."""
    return {name: await _synthesize(tts, text) for name, text in texts.items()}


async def _synthesize(tts: TtsEngine, text: str) -> StockPhrase:
    speakable = Speakable()
    async with aclosing(tts.open()) as stream:
        for piece in [*speakable.push(text), *speakable.flush()]:
            stream.push(piece)
        stream.end_input()
        return StockPhrase(text, tuple([audio async for audio in stream]))
