"""Voices to measure barge-in with, none of which is ever trained on. Debian packages flite, festival, espeak-ng."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import numpy as np
import soundfile
import soxr

from serving.audio import SPEECH_RATE, Pcm32

VOICES = (
    "flite rms",
    "festival ked",
    *(f"espeak {name}" for name in ("en-us+Andy", "en-us+Alicia", "en-gb+Andrea", "en-gb+Gene", "en-us+linda")),
)
"""The variants of espeak-ng share one synthesizer, so they are less foreign to a model that has heard others of them."""
MURMURS = {
    "mm hmm": ("m m hh m m", "[[m:h'm:]]"),
    "mhm": ("m hh m", "[[m'mh'm]]"),
    "hm": ("hh m", "[[h@m]]"),
}
"""Murmurs in the phones of flite and festival, and of espeak-ng: written as words, all three would spell them."""
_QUIET = 0.03
"""Share of the peak below which the ends are trimmed."""


def missing_programs() -> list[str]:
    """Synthesizers to install before voices can speak."""
    return [program for program in ("flite", "festival", "espeak-ng") if shutil.which(program) is None]


def spoken(voice: str, text: str, cache: Path) -> Pcm32:
    """The text spoken by one of VOICES: float32 at SPEECH_RATE, shape (n,), peak 1, trimmed."""
    path = cache / f"{hashlib.sha256(f'{voice}|{text}|{MURMURS.get(text)}'.encode()).hexdigest()[:16]}.wav"
    if not path.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        _render(voice, text, path)
    samples, rate = soundfile.read(path, dtype="float32")
    if rate != SPEECH_RATE:
        samples = soxr.resample(samples, rate, SPEECH_RATE)
    return trimmed(samples)


def trimmed(samples: Pcm32) -> Pcm32:
    """Trimmed at both ends, and scaled to a peak of 1."""
    loud = np.flatnonzero(np.abs(samples) > _QUIET * np.abs(samples).max())
    return np.asarray(samples[loud[0] : loud[-1] + 1] / np.abs(samples).max(), dtype=np.float32)


def _render(voice: str, text: str, path: Path) -> None:
    engine, name = voice.split(" ", 1)
    said, (phones, phonemes) = None, MURMURS.get(text, ("", ""))
    if engine == "flite":
        what = ["-p", f"pau {phones} pau"] if phones else ["-t", text]
        command = ["flite", "-voice", name, *what, "-o", str(path)]
    elif engine == "festival":
        command, said = ["festival", "--pipe"], _festival(name, text, phones, path)
    else:
        command = ["espeak-ng", "-v", name, "-s", "165", "-w", str(path), phonemes or text]
    subprocess.run(command, input=said, check=True, capture_output=True, text=True)


def _festival(name: str, text: str, phones: str, path: Path) -> str:
    utterance = f"(Utterance Phones (pau {phones} pau))" if phones else f'(Utterance Text "{text}")'
    return f'(voice_{name}_diphone)(utt.save.wave (utt.synth {utterance}) "{path}" \'riff)'
