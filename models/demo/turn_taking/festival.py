"""festival, a program (Debian package festival), for voices to test with."""

import subprocess
import tempfile
import wave
from functools import cache

import numpy as np

from models.demo.turn_taking.spoken import Samples, SpokenWord, Voice, bare, resampled
from models.errors import ModelMissing


@cache
def _festival_process() -> "subprocess.Popen[str]":
    command = ["festival", "--pipe"]
    try:
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
    except FileNotFoundError as error:
        raise ModelMissing(
            "Rendering voices to test with needs festival: apt-get install festival festvox-kdlpc16k"
        ) from error


_FESTIVAL = """\
(voice_{name})
(Parameter.set 'Duration_Stretch {stretch})
(set! spoken (SynthText "{text}"))
(mapcar (lambda (word) (format t "WORD %f %f\\n" (item.feat word 'word_start) (item.feat word 'word_end)))
  (utt.relation.items spoken 'Word))
(utt.save.wave spoken "{path}" 'riff)
(format t "DONE\\n")
(fflush nil)
"""


def speak(text: str, voice: Voice) -> tuple[Samples, list[SpokenWord]]:
    """Sound at RATE, not cut, and the words."""
    process = _festival_process()
    names = [bare(word) for word in text.split()]
    words: list[SpokenWord] = []
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        script = _FESTIVAL.format(name=voice.name, stretch=1 / voice.tempo, text=text.replace('"', ""), path=file.name)
        if process.stdin is None or process.stdout is None:
            raise ModelMissing("festival has no pipes.")
        process.stdin.write(script)
        process.stdin.flush()
        while (line := process.stdout.readline()) != "DONE\n":
            if not line:
                raise ModelMissing(f"festival stopped at: {text}. Has it the voice {voice.name}?")
            if line.startswith("WORD "):
                _, start, end = line.split()
                words.append(SpokenWord(names[len(words)] if len(words) < len(names) else "", float(start), float(end)))
        with wave.open(file.name) as stream:
            rate, pcm = stream.getframerate(), np.frombuffer(stream.readframes(stream.getnframes()), np.int16)
    return resampled(pcm, rate), words
