"""flite's voice slt as a teacher: its vocoder parameters and exact phone boundaries, through flite_dump.c.

slt is itself parametric: decision trees predict one vector per 5 ms, and a vocoder makes the sound. So no audio has to be
analysed.
"""

import json
import struct
import subprocess
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

SOURCE = Path(__file__).with_name("flite_dump.c")
LIBRARIES = ("-lflite_cmu_us_slt", "-lflite_usenglish", "-lflite_cmulex", "-lflite", "-lm")
RATE = 16_000
FRAME_SAMPLES = 80
PARAMETERS = 31
"""f0 in Hz (0: unvoiced), mel-cepstrum 0 to 24, 5 band strengths."""
LEAD_FRAMES, TAIL_FRAMES = 12, 30
"""Silence kept at the edges (60 and 150 ms)."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One sentence as flite would speak it."""

    phones: list[str]
    frames: list[int]
    """Per phone, 5 ms each."""
    parameters: NDArray[np.float32]
    """(frames, PARAMETERS)."""

    def trimmed(self) -> "Spoken":
        """With less silence at both edges."""
        lead, tail = max(0, self.frames[0] - LEAD_FRAMES), max(0, self.frames[-1] - TAIL_FRAMES)
        frames = list(self.frames)
        frames[0] -= lead
        frames[-1] -= tail
        return Spoken(self.phones, frames, self.parameters[lead : len(self.parameters) - tail if tail else None])


def build(folder: Path) -> Path:
    """Compile flite_dump (needs gcc and the Debian package flite1-dev)."""
    program = folder / "flite_dump"
    subprocess.run(["gcc", "-O2", str(SOURCE), "-o", str(program), *LIBRARIES], check=True)
    return program


def voice_constants(program: Path) -> dict[str, Any]:
    """The vocoder's constants of slt: alpha, beta, gain, me_h (band filters) and more."""
    done = subprocess.run([program, "info"], check=True, capture_output=True, text=True)
    constants: dict[str, Any] = json.loads(done.stdout)
    return constants


def speak(program: Path, sentences: Sequence[str]) -> Iterator[Spoken]:
    """Each sentence's parameters, in order."""
    with subprocess.Popen([program, "params"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("flite_dump has no pipes.")
        # written while reading, since both pipes are small
        writer = threading.Thread(target=_write, args=(process.stdin, sentences), daemon=True)
        writer.start()
        for _ in sentences:
            yield _read(process.stdout)
        writer.join()


def _write(pipe: IO[bytes], sentences: Sequence[str]) -> None:
    with pipe:
        pipe.write(("\n".join(sentences) + "\n").encode())


def _read(pipe: IO[bytes]) -> Spoken:
    phone_count, frame_count = struct.unpack("<ii", pipe.read(8))
    records = [struct.unpack("<8si", pipe.read(12)) for _ in range(phone_count)]
    values = np.frombuffer(pipe.read(4 * PARAMETERS * frame_count), np.float32)
    phones = [name.rstrip(b"\0").decode() for name, _ in records]
    return Spoken(phones, [frames for _, frames in records], values.reshape(frame_count, PARAMETERS))
