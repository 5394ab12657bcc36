"""When to ask a caller to say it again. Pure."""

from enum import Enum


class _Understanding(Enum):
    """How far the caller has made themselves understood since the last answer."""

    NOTHING = "nothing"
    WORDS = "words"
    """Words are in that have not been answered yet."""
    ASKED = "asked"
    """They were asked to repeat it, and nothing has been understood since."""


class RepeatPolicy:
    """Unintelligible speech is asked about once; then the agent waits until it has understood something."""

    def __init__(self) -> None:
        self._understanding = _Understanding.NOTHING

    def unintelligible(self, *, agent_is_quiet: bool) -> bool:
        """Speech ended without any words in it. Whether to ask now."""
        if self._understanding is not _Understanding.NOTHING or not agent_is_quiet:
            return False
        self._understanding = _Understanding.ASKED
        return True

    def understood(self, *, is_final: bool) -> None:
        """Words of the caller were recognised; final ones will be answered."""
        if is_final:
            self._understanding = _Understanding.WORDS
        elif self._understanding is _Understanding.ASKED:
            self._understanding = _Understanding.NOTHING

    def turn_over(self) -> None:
        """The words up to now are being answered."""
        if self._understanding is _Understanding.WORDS:
            self._understanding = _Understanding.NOTHING
