"""What a recipe is made of: commands, and what they are to do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Step:
    """One command: `python -m MODULE ARGUMENTS`."""

    title: str
    module: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a recipe is to do."""

    folder: Path
    """Where it works and leaves what it makes."""
    turn_model: Path
    """Smart Turn's ONNX file."""
    minutes: float | None
    """Of training; None: as long as the shipped model had."""
    threads: int
    quick: bool
    """Tiny data and a minute of training: shows that everything runs, makes a useless model."""

    def path(self, *parts: str) -> str:
        """A path below the folder, as an argument."""
        return str(self.folder.joinpath(*parts))

    def length(self, minutes: float) -> str:
        """Minutes of a training, as an argument; `minutes` are the shipped model's."""
        return f"{self.minutes if self.minutes is not None else 1.0 if self.quick else minutes:g}"

    def training(self, minutes: float) -> tuple[str, ...]:
        """Arguments that the speech models' training commands have in common."""
        return ("--minutes", self.length(minutes), "--threads", str(self.threads))


@dataclass(frozen=True, slots=True)
class Recipe:
    """A demo model: what has to be installed, what is done, where its files are found afterwards."""

    title: str
    debian: tuple[str, ...]
    """Packages that it needs."""
    steps: Callable[[Plan], list[Step]]
    products: Mapping[str, str]
    """Name in the manifest -> folder below the plan's."""
