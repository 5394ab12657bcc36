"""What is told while a bundle is made. Who shows it, and how, is not decided here."""

from typing import Protocol

from models.bundle.progress import Advance


class Report(Protocol):
    """Takes what is said."""

    def step(self, words: str) -> None:
        """A step begins."""
        ...

    def counted(self, what: str, total: int) -> Advance:
        """Work of known length begins: bytes, or packages. Gives the function that is told how much more is done."""
        ...
