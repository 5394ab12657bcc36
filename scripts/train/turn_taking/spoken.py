"""Who speaks and what comes out: the types that all synthesizers share."""

import ctypes
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from models.errors import ModelMissing
from serving.audio import SPEECH_RATE, Pcm32


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks, and how."""

    engine: str
    """"flite", "espeak", "foreign" or, to test with, "festival"."""
    name: str
    """flite: slt, awb, kal16 (rms to test with). espeak-ng: an accent and a variant, as in "en-gb+f2". festival: ked_diphone.
    foreign: dita, krb, machac, ph, lj, mv, nsk, lp, pc."""
    tempo: float = 1.0
    """Above 1 is faster."""
    pitch: float = 1.0
    """As a multiple of the voice's own."""
    liveliness: float = 1.0
    """Pitch range as a multiple of the voice's own; near 0 is monotonous. flite's slt, awb and rms and festival ignore it."""


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word of the text, without punctuation, and when it is heard."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Spoken:
    """What came out."""

    samples: Pcm32
    """float32 at 16 kHz, shape (n,), silence at both ends trimmed to 20 ms."""
    words: tuple[SpokenWord, ...]
    """In order; exact for flite, to about 20 ms for espeak-ng."""


class Unspeakable(ValueError):
    """The synthesizer read other words than the text has: draw another text."""


def resampled(pcm: NDArray[np.int16], rate: int) -> Pcm32:
    """As float32 at SPEECH_RATE."""
    samples = np.asarray(pcm / 32768, dtype=np.float32)
    return samples if rate == SPEECH_RATE else np.asarray(soxr.resample(samples, rate, SPEECH_RATE), dtype=np.float32)


def bare(text: str) -> str:
    """A word without its punctuation."""
    return text.strip(".,?!;:")


def open_library(name: str, package: str) -> ctypes.CDLL:
    """A synthesizer's library. Raises ModelMissing, naming the Debian package."""
    try:
        return ctypes.CDLL(name)
    except OSError as error:
        raise ModelMissing(f"Rendering voices needs {name}: apt-get install {package} ({error})") from error
