"""From a model's tokens to pieces that a voice can say: first cut where no item is torn apart, then put into words."""

from agent.speech.chunker import Chunker, ChunkerOptions
from agent.speech.normalizer import make_speakable


class Speakable:
    """The spoken form of one reply, piece by piece.

    A piece has no white space around it; what the caller hears is the pieces joined with spaces, and that text is what
    the conversation's history should keep. How the reply was split into tokens makes no difference.
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
