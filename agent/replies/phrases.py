"""Stock lines spoken once at start and kept: they can be said even when no engine works any more."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from livekit import rtc

from agent.adapters.audio import spoken_frame
from agent.speech.speakable import Speakable
from serving.engine import TtsEngine
from serving.speech import SpokenAudio


@dataclass(frozen=True, slots=True)
class StockLine:
    """A line and its sound."""

    text: str
    spoken: tuple[SpokenAudio, ...]

    async def frames(self) -> AsyncIterator[rtc.AudioFrame]:
        """The sound, with word times, for `AgentSession.say(audio=...)`."""
        for piece in self.spoken:
            yield spoken_frame(piece)


async def speak_stock_lines(tts: TtsEngine, lines: Mapping[str, str]) -> dict[str, StockLine]:
    """Every line, spoken."""
    return {name: await _speak(tts, text) for name, text in lines.items()}


async def _speak(tts: TtsEngine, text: str) -> StockLine:
    speakable = Speakable()
    stream = tts.open()
    for piece in [*speakable.push(text), *speakable.flush()]:
        stream.push(piece)
    stream.end_input()
    spoken = tuple([audio async for audio in stream])
    await stream.aclose()
    return StockLine(text, spoken)
