"""When a prompt is worth computing while the caller is still speaking."""

from dataclasses import dataclass

NEW_WORDS = 6
"""About a dozen tokens; the prefix cache stores whole blocks of 16."""


@dataclass(slots=True)
class PrefillPolicy:
    """Prefill once when the caller starts to speak, for the history so far; then again after every few settled words."""

    _computed_words: int = -1
    """How many of this turn's words the last prompt had; -1: no prompt was computed in this turn."""

    def words_settled(self, settled_words: int) -> bool:
        """This many words of the turn no longer change: whether to compute a prompt now."""
        if self._computed_words >= 0 and settled_words < self._computed_words + NEW_WORDS:
            return False
        self._computed_words = settled_words
        return True

    def turn_over(self) -> None:
        """The turn is being answered."""
        self._computed_words = -1
