"""When to ask the caller to repeat something. Pure."""

from enum import Enum


class _Understanding(Enum):
    """What the caller has got across since the last answer."""

    NOTHING = "nothing"
    WORDS = "words"
    """There are words that have not been answered yet."""
    ASKED = "asked"
    """The agent asked them to repeat it and has understood nothing since."""


class RepeatPolicy:
    """Asks about unintelligible speech once, then not again until something has been understood."""

    def __init__(self) -> None:
        self._understanding = _Understanding.NOTHING

    def unintelligible(self, *, agent_is_quiet: bool) -> bool:
        """Speech ended without recognised words: whether to ask now."""
        if self._understanding is not _Understanding.NOTHING or not agent_is_quiet:
            return False
        self._understanding = _Understanding.ASKED
        return True

    def understood(self, *, is_final: bool) -> None:
        """The caller's words were recognised; final ones will be answered."""
        if is_final:
            self._understanding = _Understanding.WORDS
        elif self._understanding is _Understanding.ASKED:
            self._understanding = _Understanding.NOTHING

    def turn_over(self) -> None:
        """The words so far are being answered."""
        if self._understanding is _Understanding.WORDS:
            self._understanding = _Understanding.NOTHING
