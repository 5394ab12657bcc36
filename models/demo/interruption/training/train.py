"""Train the head on kept features; the encoder stays as it was.

python -m models.demo.interruption.training.train --features features --test features/held --epochs 14 --out head.pt
"""

import argparse
import math
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from models.demo.interruption.training.events import BACKCHANNEL, FRAME_S, INTERRUPTION, LEAD_S, OTHER
from models.demo.interruption.training.model import Head

BATCH = 64
RATE = 2e-3
SHORT, SHORT_SHARE = 56, 0.8
"""Most batches end after so many frames (0.7 s of overlap): calls are decided there."""
EARLY_S = 0.6
"""Frames up to here decide calls: they weigh the most."""


class Shards:
    """Features on disk, opened as they are needed."""

    def __init__(self, stems: Sequence[Path]) -> None:
        """`stems`: paths without ".features.npy" and ".truth.npy"."""
        self._stems = list(stems)

    def batches(self, chance: random.Random) -> Iterator[tuple[Tensor, Tensor]]:
        """Every event once, in random order: (batch, frames, WIDTH) and (batch, frames)."""
        chance.shuffle(self._stems)
        for start in range(0, len(self._stems), 4):
            parts = [load(stem) for stem in self._stems[start : start + 4]]
            features, truth = np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
            order = list(range(len(truth)))
            chance.shuffle(order)
            for place in range(0, len(order), BATCH):
                rows, length = order[place : place + BATCH], SHORT if chance.random() < SHORT_SHARE else truth.shape[1]
                yield torch.from_numpy(features[rows, :length]).float(), torch.from_numpy(truth[rows, :length]).long()


def load(stem: Path) -> tuple[np.ndarray, np.ndarray]:
    """Features and truth of one shard."""
    return np.load(f"{stem}.features.npy", mmap_mode="r"), np.load(f"{stem}.truth.npy")


def loss_of(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross-entropy of the frames; the early ones weigh four times as much."""
    each = F.cross_entropy(logits.flatten(0, 1), truth.flatten(), ignore_index=-1, reduction="none").view_as(truth)
    overlap_s = torch.arange(truth.shape[1]) * FRAME_S - LEAD_S
    weights = torch.where(overlap_s < EARLY_S, 1.0, 0.25) * (truth >= 0)
    return (each * weights).sum() / weights.sum()


@torch.no_grad()
def report(head: Head, stem: Path) -> str:
    """At what share of murmurs and other sounds the threshold stands that catches 98 % of the interruptions, by overlap."""
    head.eval()
    features, truth = load(stem)
    logits = torch.cat(
        [head(torch.from_numpy(np.array(features[i : i + 200])).float()) for i in range(0, len(truth), 200)]
    )
    wish = logits.softmax(-1)[..., INTERRUPTION].numpy()
    lines = [f"loss {loss_of(logits, torch.from_numpy(truth).long()).item():.4f}"]
    for overlap_s in (0.2, 0.3, 0.4, 0.5):
        frame = round((LEAD_S + overlap_s) / FRAME_S) - 2
        at, best = truth[:, frame], wish[:, : frame + 1].max(1)
        at = np.where(truth.max(1) < 0, -1, at)
        pure = [(at == label) & ((truth == label) | (truth < 0)).all(1) for label in (INTERRUPTION, BACKCHANNEL, OTHER)]
        levels = np.quantile(best[pure[0]], [0.02, 0.05])
        shares = [[float((best[pure[label]] >= level).mean()) for level in levels] for label in (BACKCHANNEL, OTHER)]
        lines.append(
            f"  {overlap_s:.1f} s: 98 % at {levels[0]:.2f}: murmurs {shares[0][0]:.1%}, other {shares[1][0]:.1%};"
            f" 95 % at {levels[1]:.2f}: {shares[0][1]:.1%}, {shares[1][1]:.1%}"
        )
    head.train()
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train for so many epochs and save the head."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", type=Path, required=True, help="folder of features.py")
    parser.add_argument("--test", type=Path, help="a shard of voices never trained on, without suffix")
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", type=Path, help="a head to start from")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    stems = [Path(str(path).removesuffix(".truth.npy")) for path in sorted(options.features.glob("*.truth.npy"))]
    stems = [stem for stem in stems if stem != options.test]
    shards, head, chance = Shards(stems), Head(), random.Random(options.seed)
    if options.resume:
        head.load_state_dict(torch.load(options.resume))
    optimizer = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=0.02)
    total = options.epochs * sum(math.ceil(len(load(stem)[1]) / BATCH) for stem in stems)
    began, step = time.monotonic(), 0
    for epoch in range(options.epochs):
        losses = []
        for features, truth in shards.batches(chance):
            rate = (
                RATE * min(1, (step + 1) / 100) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1, step / total))))
            )
            for group in optimizer.param_groups:
                group["lr"] = rate
            loss = loss_of(head(features), truth)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(head.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
            step += 1
        print(f"epoch {epoch + 1} loss {np.mean(losses):.4f} {time.monotonic() - began:.0f} s", flush=True)
        torch.save(head.state_dict(), options.out)
        if options.test is not None and (epoch % 4 == 3 or epoch + 1 == options.epochs):
            print(report(head, options.test), flush=True)


if __name__ == "__main__":
    main()
