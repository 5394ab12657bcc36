"""When to ask a caller to say it again."""

from dataclasses import dataclass


@dataclass(slots=True)
class RepeatPolicy:
    """Sound without words is asked about once; then the agent waits until it has understood something."""

    _asked: bool = False

    def no_words(self, *, agent_is_quiet: bool) -> bool:
        """Speech ended without any words in it. Whether to ask now."""
        if self._asked or not agent_is_quiet:
            return False
        self._asked = True
        return True

    def understood(self) -> None:
        """The caller's words reached us."""
        self._asked = False
