"""Utterances of rendered shards, and Whisper's log-mel in PyTorch."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.typing import NDArray

RATE = 16_000
HOP = 320
"""Samples of one encoder frame (20 ms)."""
MEL_FILTERS = torch.tensor(FeatureExtractor(feature_size=80).mel_filters).float()
MEL_WINDOW = torch.hann_window(400)


class PhoneNumbers(dict[str, int]):
    """Phone names to numbers, growing with use; 0 stands for frames before the first phone."""

    def __missing__(self, name: str) -> int:
        self[name] = len(self) + 1
        return self[name]


@dataclass(frozen=True, slots=True)
class Utterance:
    """One rendered utterance."""

    text: str
    pcm: NDArray[np.int16]
    phones: NDArray[np.int64] | None
    """Phone of each encoder frame, where the synthesizer told it."""


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
        end = int(end_s * RATE / HOP)
        frames[start:end] = numbers[name]
        start = max(start, end)
    return frames


def log_mel(samples: torch.Tensor) -> torch.Tensor:
    """(batch, samples) float32 in [-1, 1] -> (batch, 80, samples / 160), as Whisper's feature extractor computes it."""
    spectrum = torch.stft(samples, 400, 160, window=MEL_WINDOW, return_complex=True)[..., :-1]
    mel = torch.clamp(MEL_FILTERS @ spectrum.abs() ** 2, min=1e-10).log10()
    return (torch.maximum(mel, mel.amax((1, 2), keepdim=True) - 8) + 4) / 4
