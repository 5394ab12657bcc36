"""Callers that no model was trained on, who speak turns piece by piece: flite and festival (Debian packages) and SVOX pico.

A turn is rendered as a whole and cut at its pauses, so that every piece keeps the intonation of a turn that goes on.
"""

import hashlib
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from scripts.bench.turns.pico import speak_pico
from scripts.bench.turns.scripted import ScriptedTurn
from serving.audio import SPEECH_RATE, Pcm32

SOUNDS = Path(".cache/bench_turns/sounds")
QUIET = 0.015
"""Share of a turn's largest sample below which the edges of a piece are silence."""
_BREAK_S = 0.4
_FESTIVAL = """({voice})
(set! spoken (Utterance Text "{text}"))
(utt.synth spoken)
(utt.save.wave spoken "{wav}" 'riff)
(mapcar (lambda (word) (format t "%f %f\\n" (item.feat word "word_start") (item.feat word "word_end")))
  (utt.relation.items spoken 'Word))
"""


@dataclass(frozen=True, slots=True)
class Voice:
    """A speaker."""

    name: str
    engine: str
    """flite, festival or pico."""
    speaker: str
    """The engine's name for it."""
    is_strange: bool = True
    """Whether no model has heard this speaker. The others are reported separately, and speak the first three calls only."""


VOICES = (
    Voice("rms", "flite", "rms"),
    Voice("ked", "festival", "voice_ked_diphone"),
    Voice("pico us", "pico", "en-US"),
    Voice("pico gb", "pico", "en-GB"),
    Voice("slt hts", "festival", "voice_cmu_us_slt_arctic_hts", is_strange=False),
    Voice("kal", "festival", "voice_kal_diphone", is_strange=False),
)


def missing_programs() -> list[str]:
    """Programs to install before voices can speak."""
    return [program for program in ("flite", "festival", "gcc") if shutil.which(program) is None]


def speak(voice: Voice, turn: ScriptedTurn) -> list[Pcm32]:
    """The pieces of a turn, one for each part: float32 at 16 kHz, no silence at their ends.

    Raises ValueError if the pauses are not found in the synthesizer's output.
    """
    key = hashlib.sha256(f"{voice}|{turn.parts}".encode()).hexdigest()[:16]
    path = SOUNDS / f"{key}.npz"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        pieces = {"flite": _flite, "festival": _festival, "pico": _pico}[voice.engine](voice.speaker, turn)
        if len(pieces) != len(turn.parts):
            raise ValueError(f"{voice.name} made {len(pieces)} pieces of: {turn.text}")
        np.savez(path, *pieces)
    with np.load(path) as stored:
        return [stored[name] for name in stored.files]


def cut(samples: Pcm32, ends_s: list[float], starts_s: list[float]) -> list[Pcm32]:
    """Pieces from each start to each end, trimmed to their sound. Both lists have one time per piece."""
    floor = QUIET * float(np.abs(samples).max())
    pieces = []
    for start_s, end_s in zip(starts_s, ends_s, strict=True):
        piece = samples[round(start_s * SPEECH_RATE) : round(end_s * SPEECH_RATE)]
        loud = np.flatnonzero(np.abs(piece) > floor)
        pieces.append(piece[loud[0] : loud[-1] + 1].copy())
    return pieces


def cut_at_silences(samples: Pcm32, count: int, min_s: float) -> list[Pcm32]:
    """Pieces between the `count` longest silences of at least `min_s`, trimmed; fewer if there are fewer silences."""
    loud = np.flatnonzero(np.abs(samples) > QUIET * float(np.abs(samples).max()))
    gaps = np.diff(loud)
    chosen = sorted(np.argsort(gaps)[::-1][:count].tolist())
    chosen = [place for place in chosen if gaps[place] >= min_s * SPEECH_RATE]
    begins = [int(loud[0]), *(int(loud[place + 1]) for place in chosen)]
    ends = [*(int(loud[place]) + 1 for place in chosen), int(loud[-1]) + 1]
    return [samples[begin:end].copy() for begin, end in zip(begins, ends, strict=True)]


def _flite(speaker: str, turn: ScriptedTurn) -> list[Pcm32]:
    wav = SOUNDS / "flite.wav"

    def phones(text: str) -> list[tuple[str, float, float]]:
        command = ["flite", "-voice", speaker, "-psdur", "-t", text, "-o", str(wav)]
        listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        ends = [(name, float(end)) for name, end in (item.rsplit(":", 1) for item in listed)]
        begins = [0.0, *(end for _, end in ends)]
        return [(name, begin, end) for (name, end), begin in zip(ends, begins, strict=False) if name != "pau"]

    counts = [len(phones(" ".join(turn.parts[: number + 1]))) for number in range(len(turn.parts))]
    spoken = phones(turn.text)
    ends_s = [spoken[count - 1][2] for count in counts]
    starts_s = [spoken[0][1], *(spoken[count][1] for count in counts[:-1])]
    return cut(_read(wav), ends_s, starts_s)


def _festival(speaker: str, turn: ScriptedTurn) -> list[Pcm32]:
    wav, scheme = SOUNDS / "festival.wav", SOUNDS / "festival.scm"
    scheme.write_text(_FESTIVAL.format(voice=speaker, text=turn.text, wav=wav))
    printed = subprocess.run(["festival", "-b", str(scheme)], check=True, capture_output=True, text=True).stdout
    words = [(float(start), float(end)) for start, end in re.findall(r"^([\d.]+) ([\d.]+)$", printed, re.MULTILINE)]
    if len(words) != len(turn.words.split()):
        raise ValueError(f"festival says {len(words)} words for: {turn.text}")
    counts = np.cumsum([len(part.split()) for part in turn.parts]).tolist()
    ends_s = [words[count - 1][1] for count in counts]
    starts_s = [words[0][0], *(words[count][0] for count in counts[:-1])]
    return cut(_read(wav), ends_s, starts_s)


def _pico(speaker: str, turn: ScriptedTurn) -> list[Pcm32]:
    samples = speak_pico(speaker, f' <break time="{round(_BREAK_S * 1000)}ms"/> '.join(turn.parts))
    return cut_at_silences(samples, len(turn.kinds), 0.7 * _BREAK_S)


def _read(path: Path) -> Pcm32:
    samples, rate = soundfile.read(path, dtype="float32")
    return samples if rate == SPEECH_RATE else np.asarray(soxr.resample(samples, rate, SPEECH_RATE), dtype=np.float32)
