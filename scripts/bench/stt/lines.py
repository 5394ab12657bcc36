"""Lines of the demo's callers, and how they are spoken to a recogniser."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import yaml

from scripts.paths import CALLERS
from serving.audio import SPEECH_RATE, AudioChunk, Pcm16
from serving.engine import SttStream

VOICES = ("rms", "awb", "kal16")
FRAME_SAMPLES = SPEECH_RATE // 50
LEAD_S, TAIL_S = 0.4, 0.6


@dataclass(frozen=True, slots=True)
class Line:
    """What a caller says."""

    words: str
    samples: Pcm16
    """With silence before and after."""
    speech_end_s: float
    """Where the last sound ends."""


def read_lines(count: int) -> list[Line]:
    """The longest lines of each voice, voices taking turns."""
    by_voice = []
    for voice in VOICES:
        files: dict[str, str] = yaml.safe_load((CALLERS / voice / "lines.yaml").read_text())
        longest = sorted(files, key=len, reverse=True)
        by_voice.append([read_line(words, CALLERS / voice / files[words]) for words in longest])
    in_turn = [line for lines in zip(*by_voice, strict=False) for line in lines]
    return in_turn[:count]


def read_line(words: str, path: Path) -> Line:
    """A recording between two silences."""
    samples, rate = soundfile.read(path, dtype="int16")
    assert rate == SPEECH_RATE, path
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > np.abs(samples.astype(np.int32)).max() / 50)
    lead, tail = (np.zeros(round(seconds * SPEECH_RATE), np.int16) for seconds in (LEAD_S, TAIL_S))
    return Line(words, np.concatenate((lead, samples, tail)), LEAD_S + float(loud[-1]) / SPEECH_RATE)


async def speak(stream: SttStream, samples: Pcm16, began_at: float) -> None:
    """Push sound (at SPEECH_RATE) in real time, and end the input. `began_at`: time.perf_counter() at its first sample."""
    for start in range(0, len(samples), FRAME_SAMPLES):
        end_s = min(start + FRAME_SAMPLES, len(samples)) / SPEECH_RATE
        await asyncio.sleep(began_at + end_s - time.perf_counter())
        stream.push(AudioChunk(samples[start : start + FRAME_SAMPLES], SPEECH_RATE))
    stream.end_input()
