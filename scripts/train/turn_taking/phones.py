"""Sounds that synthesizers do not know as words, such as "mm hmm", which they all spell out: given as phones instead."""

import io
import subprocess
import wave

import numpy as np

from scripts.train.turn_taking import foreign
from scripts.train.turn_taking.spoken import Voice, resampled
from serving.audio import Pcm32


def by_phones(text: str, voice: Voice) -> Pcm32:
    """Speak espeak-ng phonemes in double brackets, or flite's phones (for foreign voices: kal's, which are the same).

    Uses the programs, since the libraries are set to read words. Returns sound at SPEECH_RATE.
    """
    if voice.engine == "foreign":
        return foreign.murmur(text.split(), voice)
    if voice.engine == "flite":
        stretch = f"duration_stretch={1 / voice.tempo:.2f}"
        command = ["flite", "-voice", voice.name, "--setf", stretch, "-p", text, "-o", "/dev/stdout"]
    else:
        rate, pitch = round(160 * voice.tempo), round(min(99.0, 50 * voice.pitch))
        command = ["espeak-ng", "-v", voice.name, "-s", str(rate), "-p", str(pitch), "--stdout", text]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    with wave.open(io.BytesIO(raw)) as stream:
        return resampled(np.frombuffer(raw[44:], np.int16), stream.getframerate())
