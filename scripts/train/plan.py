"""A recipe's parts: its commands, and the plan that they follow."""

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
    """What a recipe is asked to build, and how."""

    folder: Path
    """Its working folder, which also gets the results."""
    turn_model: Path
    """Smart Turn's ONNX file."""
    minutes: float | None
    """Length of training; None: as for the shipped model."""
    threads: int
    quick: bool
    """Tiny data and a minute of training: checks that everything runs, and makes a useless model."""

    def path(self, *parts: str) -> str:
        """A path below the folder, as an argument."""
        return str(self.folder.joinpath(*parts))

    def length(self, minutes: float) -> str:
        """Minutes of training, as an argument; `minutes` is what the shipped model had."""
        return f"{self.minutes if self.minutes is not None else 1.0 if self.quick else minutes:g}"

    def training(self, minutes: float) -> tuple[str, ...]:
        """Arguments that the speech models' training commands share."""
        return ("--minutes", self.length(minutes), "--threads", str(self.threads))


@dataclass(frozen=True, slots=True)
class Recipe:
    """A demo model: what to install, what to run, and where its files end up."""

    title: str
    debian: tuple[str, ...]
    """Debian packages that it needs."""
    steps: Callable[[Plan], list[Step]]
    products: Mapping[str, str]
    """Name in the manifest -> folder within the plan's."""
