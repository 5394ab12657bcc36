"""Training targets from the data set, and batches of them."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scripts.train.text_to_speech.model import OUTPUTS
from scripts.train.text_to_speech.vocoder import CEPSTRUM, postfilter

BATCH_FRAMES = 12_000
RISE = 0.3
"""Final rise of a yes/no question, in log f0."""
RISE_FRAMES = 60
VOICED_RUN = 8
"""Consecutive voiced frames that count as voicing at the end of a sentence."""
YES_NO = re.compile(
    r"(?:[^,]*, )?(?:and |so |or )?"
    r"(?:do|does|did|is|are|was|were|can|could|may|would|will|should|shall|have|has|am)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence to learn."""

    ids: NDArray[np.int64]
    frames: NDArray[np.int64]
    """Per id."""
    targets: NDArray[np.float16]
    """(frames, OUTPUTS), not normalised; the second column is 0 or 1."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded sentences."""

    ids: Tensor
    frames: Tensor
    owner: Tensor
    """The id of each frame."""
    start: Tensor
    """First frame of each id."""
    targets: Tensor
    """(batch, OUTPUTS, time), normalised except for voicing."""
    id_mask: Tensor
    frame_mask: Tensor


def load(folder: Path) -> list[Sentence]:
    """Sentences of data.npz in `folder`, postfiltered with the constants in voice.json."""
    constants: dict[str, Any] = json.loads((folder / "voice.json").read_text(encoding="utf-8"))
    data = np.load(folder / "data.npz")
    parameters, ids, frames = data["par"], data["ids"], data["dur"]
    frame_ends, id_ends = np.r_[0, data["T"].cumsum()], np.r_[0, data["n"].cumsum()]
    cepstra = np.empty((len(parameters), CEPSTRUM), np.float16)
    for start in range(0, len(parameters), 20_000):
        part = slice(start, start + 20_000)
        plain = parameters[part, 1 : 1 + CEPSTRUM].astype(np.float32)
        cepstra[part] = postfilter(plain, constants["alpha"], constants["beta"])
    f0 = parameters[:, 0].astype(np.float32)
    voiced = f0 > 0
    places = np.flatnonzero(voiced)
    log_f0 = np.interp(np.arange(len(f0)), places, np.log(f0[places])).astype(np.float32)  # bridges unvoiced stretches
    log_f0 += question_rise(data["text"].tolist(), frame_ends, voiced)
    columns = [log_f0[:, None].astype(np.float16), voiced[:, None].astype(np.float16), cepstra]
    targets = np.concatenate([*columns, parameters[:, 1 + CEPSTRUM :]], 1)
    return [
        Sentence(
            ids[id_ends[k] : id_ends[k + 1]].astype(np.int64),
            frames[id_ends[k] : id_ends[k + 1]].astype(np.int64),
            targets[frame_ends[k] : frame_ends[k + 1]],
        )
        for k in range(len(data["n"]))
    ]


def question_rise(texts: Sequence[str], ends: NDArray[np.int64], voiced: NDArray[np.bool_]) -> NDArray[np.float32]:
    """What to add to log f0: flite ends every sentence on a falling pitch, but yes/no questions should end on a rise."""
    rise = np.zeros(len(voiced), np.float32)
    for k, text in enumerate(texts):
        if not (text.endswith("?") and YES_NO.match(text)):
            continue
        runs = np.convolve(voiced[ends[k] : ends[k + 1]], np.ones(VOICED_RUN), "valid") == VOICED_RUN
        last = np.flatnonzero(runs) + VOICED_RUN - 1
        if not len(last):
            continue
        top = ends[k] + last[-1]
        length = min(RISE_FRAMES, last[-1])
        rise[top - length : top] = np.linspace(0, 1, length) ** 1.5 * RISE
        rise[top : ends[k + 1]] = RISE
    return rise


def collate(sentences: Sequence[Sentence], mean: NDArray[np.float32], std: NDArray[np.float32]) -> Batch:
    """A padded batch, normalised."""
    count, ids_max = len(sentences), max(len(sentence.ids) for sentence in sentences)
    time_max = max(len(sentence.targets) for sentence in sentences)
    ids, frames = np.zeros((count, ids_max), np.int64), np.zeros((count, ids_max), np.int64)
    owner = np.zeros((count, time_max), np.int64)
    targets = np.zeros((count, time_max, OUTPUTS), np.float32)
    id_mask, frame_mask = np.zeros((count, 1, ids_max), np.float32), np.zeros((count, 1, time_max), np.float32)
    for i, sentence in enumerate(sentences):
        n, t = len(sentence.ids), len(sentence.targets)
        ids[i, :n], frames[i, :n], id_mask[i, 0, :n] = sentence.ids, sentence.frames, 1
        owner[i, :t] = np.repeat(np.arange(n), sentence.frames)
        targets[i, :t], frame_mask[i, 0, :t] = sentence.targets, 1
    voicing = targets[:, :, 1].copy()
    targets = ((targets - mean) / std).transpose(0, 2, 1)
    targets[:, 1] = voicing
    parts = (ids, frames, owner, frames.cumsum(1) - frames, targets, id_mask, frame_mask)
    return Batch(*(torch.from_numpy(np.ascontiguousarray(part)) for part in parts))


def groups(sentences: Sequence[Sentence], rng: np.random.Generator) -> list[list[int]]:
    """Groups of similar length, of about BATCH_FRAMES each, shuffled."""
    order = sorted(range(len(sentences)), key=lambda k: len(sentences[k].targets) + rng.integers(0, 60))
    found: list[list[int]] = [[]]
    for k in order:
        if found[-1] and (len(found[-1]) + 1) * len(sentences[k].targets) > BATCH_FRAMES:
            found.append([])
        found[-1].append(k)
    return [found[i] for i in rng.permutation(len(found))]
