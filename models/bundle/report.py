"""How progress is reported while a bundle is made; how it is shown is decided elsewhere."""

from typing import Protocol

from models.bundle.progress import Advance


class Report(Protocol):
    """Receives progress."""

    def step(self, words: str) -> None:
        """A step begins."""
        ...

    def counted(self, what: str, total: int) -> Advance:
        """Work of known length begins, in bytes or packages. Returns a function to call with how much more is done."""
        ...
