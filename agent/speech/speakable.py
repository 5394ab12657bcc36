"""From a model's tokens to pieces that a voice can say: cut where nothing is torn apart, then made speakable."""

from agent.speech.chunker import Chunker, ChunkerOptions
from agent.speech.normalizer import make_speakable


class Speakable:
    """The spoken form of one reply, piece by piece.

    A piece has no surrounding white space. What the caller hears is the pieces joined with spaces, and that is the text
    for the conversation's history. How the reply was split into tokens makes no difference.
    """

    def __init__(self, options: ChunkerOptions | None = None) -> None:
        self._chunker = Chunker(options)

    def push(self, text: str) -> list[str]:
        """Takes the next token; returns the pieces that can be spoken now, often none."""
        return _spoken(self._chunker.push(text))

    def flush(self) -> list[str]:
        """Ends the reply; returns what is left of it."""
        return _spoken(self._chunker.flush())


def _spoken(pieces: list[str]) -> list[str]:
    return [spoken for piece in pieces if (spoken := make_speakable(piece))]
