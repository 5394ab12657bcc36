"""Text through the product's own speech path, for tests that need to know when each word sounds."""

from agent.speech.speakable import Speakable
from serving.engine import TtsEngine
from serving.speech import Word


async def spoken_words(engine: TtsEngine, text: str) -> list[Word]:
    """The words of a text with the times at which the agent would speak them."""
    speakable, stream = Speakable(), engine.open()
    for piece in [*speakable.push(text), *speakable.flush()]:
        stream.push(piece)
    stream.end_input()
    words = [word async for spoken in stream for word in spoken.words]
    await stream.aclose()
    return words
