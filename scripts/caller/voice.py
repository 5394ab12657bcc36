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
"""The folder of what is no speech: a cough, a keyboard; every voice can make these."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """Something to say and its sound."""

    text: str
    """The words, lower case; for a sound that is no speech, its name in square brackets."""
    samples: Pcm16
    """Mono at RATE, shape (n,)."""


@dataclass(frozen=True, slots=True)
class Voice:
    """One caller; lines are read from disk when they are asked for."""

    name: str
    """The voice's folder name."""
    root: Path
    """Holds the folders of voices and sounds."""
    files: dict[str, str]
    """Words to the file below root."""

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
    """Read a voice's index. Raises CallerError when there is no such voice."""
    index = root / name / INDEX
    if name not in voices(root):
        raise CallerError(f"no voice {name!r} in {root}: there are {', '.join(voices(root)) or 'none'}")
    return Voice(name, root, _files(root / SOUNDS / INDEX) | _files(index))


def _files(index: Path) -> dict[str, str]:
    lines = yaml.safe_load(index.read_text())
    return {text: f"{index.parent.name}/{file}" for text, file in lines.items()}
