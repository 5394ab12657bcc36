"""When a prompt is worth computing while its caller is still speaking."""

from dataclasses import dataclass

NEW_WORDS = 6
"""About a dozen tokens: the prefix cache keeps whole blocks of 16."""


@dataclass(slots=True)
class PrefillPolicy:
    """Once when the caller begins, for all that was said before; then whenever enough words have been settled since."""

    _computed_words: int = -1
    """How many words of this turn were in the last prompt; -1: none was computed in this turn."""

    def heard(self, settled_words: int) -> bool:
        """The caller is speaking, and so many words of the turn will not change any more. Whether to compute now."""
        if self._computed_words >= 0 and settled_words < self._computed_words + NEW_WORDS:
            return False
        self._computed_words = settled_words
        return True

    def turn_over(self) -> None:
        """The turn is being answered."""
        self._computed_words = -1
