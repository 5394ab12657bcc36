"""festival, a program (Debian packages festival and festvox-*): its English voices, for testing, and what foreign.py needs."""

import atexit
import subprocess
import tempfile
import wave
from functools import cache
from itertools import chain, repeat
from pathlib import Path

import numpy as np

from models.errors import ModelMissing
from scripts.train.turn_taking.spoken import SpokenWord, Voice, bare, resampled
from serving.audio import Pcm32


@cache
def _festival_process() -> "subprocess.Popen[str]":
    command = ["festival", "--pipe"]
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
    except FileNotFoundError as error:
        raise ModelMissing(
            "Rendering these voices needs festival: bash scripts/install_voices.sh festival (or apt-get install"
            " festival and the festvox packages that it names)"
        ) from error
    atexit.register(process.communicate)
    return process


def run_scheme(script: str) -> list[list[str]]:
    """Run a festival script. Returns the lines that it printed, split into words. Raises ModelMissing if festival stops."""
    process = _festival_process()
    if process.stdin is None or process.stdout is None:
        raise ModelMissing("festival has no pipes.")
    process.stdin.write(f'{script}\n(format t "DONE\\n")\n(fflush nil)\n')
    process.stdin.flush()
    lines = []
    while (line := process.stdout.readline()) != "DONE\n":
        if not line:
            raise ModelMissing(f"festival stopped at: {script.strip().splitlines()[0]}. Is that voice installed?")
        if words := line.split():
            lines.append(words)
    return lines


_WORDS = """\
(mapcar (lambda (word) (format t "WORD %f %f\\n" (item.feat word 'word_start) (item.feat word 'word_end)))
  (utt.relation.items spoken 'Word))
"""
_TEXT = """\
(voice_{name})
(Parameter.set 'Duration_Stretch {stretch})
(set! spoken (SynthText "{text}"))
"""
_SEGMENTS = """\
(mapcar (lambda (segment) (format t "SEGMENT %s %f\\n" (item.name segment) (item.feat segment 'segment_end)))
  (utt.relation.items spoken 'Segment))
(mapcar (lambda (target) (format t "TARGET %f %f\\n" (item.feat target 'pos) (parse-number (item.feat target 'f0))))
  (utt.relation.leafs spoken 'Target))
"""


def speak(text: str, voice: Voice) -> tuple[Pcm32, list[SpokenWord]]:
    """Sound at SPEECH_RATE, untrimmed, and the words."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        spoken = _TEXT.format(name=voice.name, stretch=1 / voice.tempo, text=text.replace('"', ""))
        lines = run_scheme(f'{spoken}{_WORDS}(utt.save.wave spoken "{file.name}" \'riff)')
        samples = wave_of(Path(file.name))
    return samples, _words_of(text, lines)


def segments_of(text: str) -> tuple[list[tuple[str, float]], list[tuple[float, float]], list[SpokenWord]]:
    """How kal would say it: his phones and their ends, points of the pitch contour (seconds, Hz), the words."""
    spoken = _TEXT.format(name="kal_diphone", stretch=1.0, text=text.replace('"', ""))
    lines = run_scheme(spoken + _WORDS + _SEGMENTS)
    segments = [(line[1], float(line[2])) for line in lines if line[0] == "SEGMENT"]
    targets = [(float(line[1]), float(line[2])) for line in lines if line[0] == "TARGET"]
    return segments, targets, _words_of(text, lines)


def _words_of(text: str, lines: list[list[str]]) -> list[SpokenWord]:
    """The words that festival reported, named as in the text; surplus ones have no name."""
    told = [line for line in lines if line[0] == "WORD"]
    names = chain((bare(word) for word in text.split()), repeat(""))
    return [SpokenWord(name, float(start), float(end)) for name, (_, start, end) in zip(names, told, strict=False)]


def wave_of(path: Path) -> Pcm32:
    """What festival saved, at SPEECH_RATE."""
    with wave.open(str(path)) as stream:
        rate, pcm = stream.getframerate(), np.frombuffer(stream.readframes(stream.getnframes()), np.int16)
    return resampled(pcm, rate)
