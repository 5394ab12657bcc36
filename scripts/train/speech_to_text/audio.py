"""Utterances of rendered shards, and Whisper's log-mel spectrum."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.typing import NDArray

from serving.audio import SPEECH_RATE, Pcm32

HOP = 320
"""Samples in an encoder frame (20 ms)."""
_EXTRACTOR = FeatureExtractor()


class PhoneNumbers(dict[str, int]):
    """Numbers of phones by name, assigned as they come up; 0 stands for frames before the first phone."""

    def __missing__(self, name: str) -> int:
        self[name] = len(self) + 1
        return self[name]


@dataclass(frozen=True, slots=True)
class Utterance:
    """One rendered utterance."""

    text: str
    pcm: NDArray[np.int16]
    phones: NDArray[np.int64] | None
    """The phone in each encoder frame, if the synthesizer reports phones."""


def load(stem: Path, numbers: PhoneNumbers) -> list[Utterance]:
    """All utterances of stem.npy and stem.json."""
    samples, start, found = np.load(stem.with_suffix(".npy"), mmap_mode="r"), 0, []
    for text, _voice, length, phones in json.loads(stem.with_suffix(".json").read_text(encoding="utf-8")):
        frames = _phone_frames(phones, length, numbers) if phones else None
        found.append(Utterance(text, samples[start : start + length], frames))
        start += length
    return found


def _phone_frames(phones: list[tuple[str, float]], length: int, numbers: PhoneNumbers) -> NDArray[np.int64]:
    frames, start = np.zeros(length // HOP + 1, np.int64), 0
    for name, end_s in phones:
        end = int(end_s * SPEECH_RATE / HOP)
        frames[start:end] = numbers[name]
        start = max(start, end)
    return frames


def log_mel(samples: Pcm32) -> NDArray[np.float32]:
    """(batch, samples) in [-1, 1] -> (batch, 80, samples / 160), from the extractor that the engine uses."""
    return np.stack([_EXTRACTOR(one, padding=0) for one in samples])
