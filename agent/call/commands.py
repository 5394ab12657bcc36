"""What can be done to a call. Whatever attaches to one acts through these, and nothing else."""

from typing import Protocol


class Commands(Protocol):
    """Of one call, on its event loop."""

    def say(self, phrase: str, *, allow_interruptions: bool = True) -> str:
        """Say a stock phrase, by its name. Returns the reply's id, as in the call's events."""
        ...

    def interrupt(self) -> None:
        """Stop what is being said or prepared, unless it may not be interrupted."""
        ...

    def hang_up(self) -> None:
        """End the call for everybody in the room."""
        ...
