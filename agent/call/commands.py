"""What can be done to a call. Whatever attaches to a call acts through these and nothing else."""

from typing import Protocol


class Commands(Protocol):
    """The commands of one call. Use them on its event loop."""

    def say(self, phrase: str, *, allow_interruptions: bool = True) -> str:
        """Say the stock phrase of this name. Returns the id of the reply, as in the call's events."""
        ...

    def interrupt(self) -> None:
        """Stop what is being said or prepared, unless it may not be interrupted."""
        ...

    def hang_up(self) -> None:
        """End the call for everybody in the room."""
        ...
