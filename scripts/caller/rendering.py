"""Renders callers' lines with free synthesizers (Debian packages flite and espeak-ng).

Every file is 16 kHz mono FLAC, trimmed to the sound plus 30 ms, at -20 dBFS RMS.
"""

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soundfile
import soxr
import yaml

from scripts.caller.clock import RATE
from scripts.caller.dialogue import DIALOGUES, load_dialogue
from scripts.caller.errors import CallerError
from scripts.caller.measure import CALLER_THRESHOLD_DBFS, spans
from scripts.caller.voice import INDEX
from serving.audio import Pcm16, Pcm32, pcm16

LINES = Path(__file__).with_name("lines.yaml")
LEVEL_DBFS = -20.0
DEPTH_MASK = np.int16(~0b111)
"""13 bits a sample: the noise stays 60 dB below the voice and the files are a third smaller."""
EDGE_SAMPLES = RATE * 30 // 1000
FLITE = {"rms": 1.0, "awb": 1.0, "kal16": 1.0}
"""flite voices, and how much each is slowed down."""
ESPEAK = {"espeak": ["-v", "en-us+m1", "-s", "140", "-p", "45"]}
"""espeak-ng voices, and their options."""
_MURMUR = "pau m m hh m m pau"
PHONES = {
    "mm hmm": {"rms": _MURMUR, "awb": _MURMUR, "kal16": "pau m hh m pau", "espeak": "[[m'mh'm]]"},
}
"""Lines that synthesizers would spell as letters: by voice, flite's phones or espeak-ng's phonemes."""
NOT_UNDERSTOOD = {("espeak", "wait stop hold on a second")}
"""Pairs of voice and line that the demo's recogniser gets wrong: not shipped."""
VOICES = [*FLITE, *ESPEAK]


def wanted_lines(voice: str) -> list[str]:
    """A voice's lines: those of lines.yaml and of every dialogue, each once."""
    extra = yaml.safe_load(LINES.read_text())
    lines = [*extra["every_voice"], *extra.get(f"only_{voice}", [])]
    for path in sorted(DIALOGUES.glob("*.yaml")):
        lines += load_dialogue(path).lines()
    return [line for line in dict.fromkeys(lines) if (voice, line) not in NOT_UNDERSTOOD]


def slug(text: str) -> str:
    """A file name's stem for a line."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def speak(voice: str, text: str, folder: Path) -> Pcm32:
    """The line as the synthesizer says it, mono at RATE, shape (n,)."""
    path = folder / "line.wav"
    if voice in FLITE:
        said = ["-p", PHONES[text][voice]] if text in PHONES else ["-t", text]
        command = ["flite", "-voice", voice, "--setf", f"duration_stretch={FLITE[voice]}", *said, "-o", str(path)]
    else:
        command = ["espeak-ng", *ESPEAK[voice], "-w", str(path), PHONES[text][voice] if text in PHONES else text]
    subprocess.run(command, check=True, capture_output=True)
    samples, rate = soundfile.read(path, dtype="float32")
    resampled: Pcm32 = soxr.resample(samples, rate, RATE)
    return resampled


def finish(samples: Pcm32) -> Pcm16:
    """Trimmed to the sound plus EDGE_SAMPLES on both sides, at LEVEL_DBFS RMS or as loud as full scale allows."""
    peak = float(np.abs(samples).max())
    if peak == 0:
        raise CallerError("a line was rendered as silence: is the synthesizer's voice installed?")
    rough = samples * (0.5 / peak)
    first, last = _ends(rough)
    gain = 10 ** (LEVEL_DBFS / 20) / float(np.sqrt(np.mean(np.square(rough[first:last]))))
    levelled = rough * min(gain, 0.99 / float(np.abs(rough).max()))
    first, last = _ends(levelled)
    return pcm16(levelled[max(0, first - EDGE_SAMPLES) : last + EDGE_SAMPLES]) & DEPTH_MASK


def _ends(samples: Pcm32) -> tuple[int, int]:
    """First and last sample above the level at which the caller is taken to sound."""
    [sound] = spans(pcm16(samples), CALLER_THRESHOLD_DBFS, np.inf)
    return round(sound.start_s * RATE), round(sound.end_s * RATE)


def write(folder: Path, sounds: Iterable[tuple[str, Pcm32]]) -> str:
    """Write a voice's folder anew. Returns a line that says what is in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    files = {}
    for text, raw in sounds:
        files[text] = f"{slug(text)}.flac"
        soundfile.write(folder / files[text], finish(raw), RATE, subtype="PCM_16", compression_level=1.0)
    (folder / INDEX).write_text(yaml.safe_dump(files, sort_keys=True))
    size = sum(path.stat().st_size for path in folder.iterdir())
    return f"{folder.name}: {len(files)} lines, {size / 1e6:.2f} MB"
