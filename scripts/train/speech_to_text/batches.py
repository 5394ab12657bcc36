"""Batches of stored features of similar length, in random order."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from scripts.train.speech_to_text.features import Kept

FRAMES = 4500
"""Encoder frames in a batch, including padding (90 s)."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Features of a few utterances."""

    features: Tensor
    """(batch, frames, WIDTH) bfloat16; padded by repeating each utterance's last, silent frame."""
    rows: list[Kept]


def batches(shard: Path, chance: random.Random) -> Iterator[Batch]:
    """Every utterance of one shard, once."""
    frames, rows = torch.load(shard, mmap=True)
    starts = np.concatenate([[0], np.cumsum([length for _, length, _ in rows])])
    for group in _groups(rows, chance):
        longest = max(rows[i][1] for i in group)
        features = torch.zeros(len(group), longest, frames.shape[1], dtype=frames.dtype)
        for place, i in enumerate(group):
            features[place, : rows[i][1]] = frames[starts[i] : starts[i + 1]]
            features[place, rows[i][1] :] = frames[starts[i + 1] - 1]
        yield Batch(features, [rows[i] for i in group])


def _groups(rows: list[Kept], chance: random.Random) -> list[list[int]]:
    order = sorted(range(len(rows)), key=lambda i: rows[i][1] + chance.random())
    groups: list[list[int]] = [[]]
    for i in order:
        if groups[-1] and (len(groups[-1]) + 1) * rows[i][1] > FRAMES:
            groups.append([])
        groups[-1].append(i)
    chance.shuffle(groups)
    return groups
