"""Sounds that are no words to a synthesizer, as "mm hmm" is letters to all of them: said by phones."""

import io
import subprocess
import wave

import numpy as np

from scripts.train.turn_taking import foreign
from scripts.train.turn_taking.spoken import Voice, resampled
from serving.audio import Pcm32


def by_phones(text: str, voice: Voice) -> Pcm32:
    """Sound at SPEECH_RATE of espeak-ng's phonemes in double brackets, or of flite's phones (the same as kal's, for speakers of other
    tongues), by their programs: the libraries are told to read words."""
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
