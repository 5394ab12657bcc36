"""Run damaged utterances through the frozen part of the encoder and store the result (bfloat16, 38 KB per second).

python -m scripts.train.speech_to_text.features --data data/flite_*.json --passes 2 --out features
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from scripts.train.speech_to_text.audio import HOP, PhoneNumbers, Utterance, load, log_mel
from scripts.train.speech_to_text.damage import Damage, Example
from scripts.train.speech_to_text.model import Encoder
from scripts.train.speech_to_text.smart_turn import encoder_weights
from serving.audio import SPEECH_RATE

SHARD = 1500
"""Examples per file."""
BATCH_S = 60
"""Seconds of audio per batch."""

Kept = tuple[str, int, Tensor | None]
"""Text, number of frames, phone in each frame."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Write shards of features until every utterance has been used `--passes` times on average."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turn-model", type=Path, required=True, help="Smart Turn's ONNX file")
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="shards' .json files")
    parser.add_argument("--passes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    below, numbers = frozen_part(options.turn_model), PhoneNumbers()
    utterances = [utterance for path in sorted(options.data) for utterance in load(path.with_suffix(""), numbers)]
    damage = Damage(options.seed)
    examples = options.passes * len(utterances)
    count, per_shard = max(1, examples // SHARD), min(SHARD, examples)
    options.out.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    for number in range(count):
        frames, kept = shard(below, damage, utterances, per_shard)
        path = options.out / f"s{options.seed}_{number:03}.pt"
        torch.save((frames, kept), path.with_suffix(".tmp"))
        path.with_suffix(".tmp").rename(path)
        hours, took_s = len(frames) * HOP / SPEECH_RATE / 3600, time.monotonic() - began
        print(f"features {number + 1}/{count}: {hours:.2f} h, {took_s:.0f} s", flush=True)


def frozen_part(turn_model: Path) -> Callable[[Tensor], Tensor]:
    """log-mel -> output of the encoder's last layer but one, computed in bfloat16."""
    encoder = Encoder()
    encoder.start_from(encoder_weights(turn_model))
    module = _Below(encoder)
    weights = {name: value.to(torch.bfloat16) for name, value in module.state_dict().items()}
    return lambda mel: functional_call(module, weights, (mel.to(torch.bfloat16),))


class _Below(nn.Module):
    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, mel: Tensor) -> Tensor:
        return self.encoder.below(mel)


@torch.no_grad()
def shard(
    below: Callable[[Tensor], Tensor], damage: Damage, utterances: Sequence[Utterance], count: int
) -> tuple[Tensor, list[Kept]]:
    """The frames of `count` examples, concatenated, and what each example is."""
    examples = sorted((damage.example(utterances) for _ in range(count)), key=lambda e: len(e.samples))
    parts: list[Tensor] = []
    kept: list[Kept] = []
    while examples:
        size = max(1, int(BATCH_S * SPEECH_RATE / len(examples[0].samples)))
        batch, examples = examples[:size], examples[size:]
        length = -(-max(len(example.samples) for example in batch) // HOP) * HOP
        audio = np.stack([np.pad(e.samples, (0, length - len(e.samples))) for e in batch])
        mel = torch.from_numpy(log_mel(audio))
        output = below(torch.stack([_masked(one, damage) for one in mel]))
        for example, row in zip(batch, output, strict=True):
            frames = min(length // HOP, -(-len(example.samples) // HOP) + 5)
            parts.append(row[:frames].clone())
            kept.append((example.text, frames, _phones(example, frames)))
    return torch.cat(parts), kept


def _phones(example: Example, frames: int) -> Tensor | None:
    return None if example.phones is None else torch.from_numpy(example.phones[:frames]).to(torch.int16)


def _masked(mel: Tensor, damage: Damage) -> Tensor:
    """Light SpecAugment (Park et al. 2019): sometimes one band and one stretch of time are masked."""
    chance = damage.random
    if chance.random() < 0.3:
        width = chance.randint(1, 12)
        start = chance.randint(0, 79 - width)
        mel[start : start + width] = mel.mean()
        width = chance.randint(1, 12)
        start = chance.randint(0, mel.shape[1] - width - 1)
        mel[:, start : start + width] = mel.mean()
    return mel


if __name__ == "__main__":
    main()
