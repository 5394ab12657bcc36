"""A caller's voice: a folder of FLAC files and `lines.yaml`, which says which file holds which words."""

from dataclasses import dataclass
from pathlib import Path

import soundfile
import yaml

from scripts.caller.clock import RATE
from scripts.caller.errors import CallerError, LineMissing
from scripts.paths import CALLERS
from serving.audio import Pcm16

INDEX = "lines.yaml"
SOUNDS = "sounds"
"""Folder of the sounds that are not speech, such as a cough; every voice can make them."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line and its sound."""

    text: str
    """The words in lower case; for a sound that is not speech, its name in square brackets."""
    samples: Pcm16
    """Mono at RATE, shape (n,)."""


@dataclass(frozen=True, slots=True)
class Voice:
    """A caller's voice; its lines are read from disk on demand."""

    name: str
    """Name of the voice's folder."""
    root: Path
    """Holds the folders of voices and sounds."""
    files: dict[str, str]
    """Files below root by words."""

    def line(self, text: str) -> Line:
        """The line with these words. Raises LineMissing."""
        if text not in self.files:
            raise LineMissing(
                f"voice {self.name} has no audio for {text!r}: add it to scripts/caller/lines.yaml and run "
                "'python -m scripts.render_callers'"
            )
        samples, rate = soundfile.read(self.root / self.files[text], dtype="int16")
        if rate != RATE or samples.ndim != 1:
            raise CallerError(f"{self.root / self.files[text]} must be mono at {RATE} Hz: render it again")
        return Line(text, samples)


def voices(root: Path = CALLERS) -> list[str]:
    """Names of the voices in a folder, sorted."""
    return sorted(index.parent.name for index in root.glob(f"*/{INDEX}") if index.parent.name != SOUNDS)


def load_voice(name: str, root: Path = CALLERS) -> Voice:
    """Read a voice's index. Raises CallerError if there is no such voice."""
    index = root / name / INDEX
    if name not in voices(root):
        raise CallerError(f"no voice {name!r} in {root}: there are {', '.join(voices(root)) or 'none'}")
    return Voice(name, root, _files(root / SOUNDS / INDEX) | _files(index))


def _files(index: Path) -> dict[str, str]:
    lines = yaml.safe_load(index.read_text())
    return {text: f"{index.parent.name}/{file}" for text, file in lines.items()}
