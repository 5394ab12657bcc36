"""Train a head on the stored features; the encoder stays frozen.

python -m scripts.train.interruption.train --features features --epochs 10 --out head.pt
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

from scripts.train.interruption.model import Head
from scripts.train.interruption.truth import BACKCHANNEL, FRAME_S, FRAMES, INTERRUPTION, OTHER
from serving.interruption.onset_window import LEAD_S

BATCH = 96
RATE = 2e-3
SHORT = 56
"""Frames in most batches (0.7 s of overlap), which is where calls are decided."""
LONG_SHARE = 0.7
"""Share of the events kept whole that are also learned whole."""
EARLY_S = 0.6
"""Frames up to here decide calls and weigh the most."""


class Events:
    """Features of whole and of short windows, in memory."""

    def __init__(self, stems: Sequence[Path], speakers: Sequence[str] = (), *, but: bool = False) -> None:
        """`stems`: paths without ".features.npy" and ".truth.npy". `speakers`: only events by these voices (or espeak-ng
        variants), or with `but`, by all others; empty: all events."""
        self.parts: list[tuple[np.ndarray, np.ndarray]] = []
        for stem in stems:
            whole, label = load(stem)
            rows = np.ones(len(label), bool)
            if speakers:
                names = np.load(f"{stem}.speakers.npy")
                rows = np.isin([name.partition("+")[2] or name for name in names], list(speakers)) ^ but
            self.parts.append((whole[rows], label[rows]))
        self.count = sum(len(label) for _, label in self.parts)

    def batches(self, chance: random.Random) -> Iterator[tuple[Tensor, Tensor]]:
        """Every event once, in random order: (batch, frames, WIDTH) and (batch, frames)."""
        short, long = list[tuple[int, int]](), list[tuple[int, int]]()
        for number, (_, label) in enumerate(self.parts):
            for row in range(len(label)):
                is_long = label.shape[1] == FRAMES and chance.random() < LONG_SHARE
                (long if is_long else short).append((number, row))
        chance.shuffle(short)
        chance.shuffle(long)
        batches = [
            (order[place : place + BATCH], length)
            for order, length in ((short, SHORT), (long, FRAMES))
            for place in range(0, len(order), BATCH)
        ]
        chance.shuffle(batches)
        for chosen, length in batches:
            features = np.stack([self.parts[number][0][row, :length] for number, row in chosen])
            truth = np.stack([self.parts[number][1][row, :length] for number, row in chosen])
            yield torch.from_numpy(features).float(), torch.from_numpy(truth).long()


def load(stem: Path) -> tuple[np.ndarray, np.ndarray]:
    """Features and truth of one shard."""
    return np.load(f"{stem}.features.npy", mmap_mode="r"), np.load(f"{stem}.truth.npy")


def loss_of(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross-entropy of the frames; the early ones weigh four times as much."""
    each = F.cross_entropy(logits.flatten(0, 1), truth.flatten(), ignore_index=-1, reduction="none").view_as(truth)
    overlap_s = torch.arange(truth.shape[1]) * FRAME_S - LEAD_S
    weights = torch.where(overlap_s < EARLY_S, 1.0, 0.25) * (truth >= 0)
    return (each * weights).sum() / weights.sum()


def learning_rate(step: int, total: int) -> float:
    """At a step: 100 steps of warm-up, then half a cosine down to a hundredth."""
    return RATE * min(1, (step + 1) / 100) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1, step / total))))


@torch.no_grad()
def report(head: Head, events: Events) -> str:
    """How many backchannels and other sounds exceed the threshold that catches 98 or 95 % of interruptions, by overlap."""
    head.eval()
    features = np.concatenate([part[:, :SHORT] for part, _ in events.parts])
    truth = np.concatenate([label[:, :SHORT] for _, label in events.parts])
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
            f"  {overlap_s:.1f} s: 98 % at {levels[0]:.2f}: backchannels {shares[0][0]:.1%}, other {shares[1][0]:.1%};"
            f" 95 % at {levels[1]:.2f}: {shares[0][1]:.1%}, {shares[1][1]:.1%}"
        )
    head.train()
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train for that many epochs and save the head."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", type=Path, required=True, help="folder of features.py")
    parser.add_argument("--dev", nargs="+", default=[], help="voices to monitor training with, held out from it")
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    stems = [Path(str(path).removesuffix(".truth.npy")) for path in sorted(options.features.glob("*.truth.npy"))]
    events, head, chance = Events(stems, options.dev, but=True), Head(), random.Random(options.seed)
    watched = Events(stems, options.dev) if options.dev else None
    optimizer = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=0.02)
    total = options.epochs * math.ceil(events.count / BATCH)
    began, step = time.monotonic(), 0
    for epoch in range(options.epochs):
        losses = []
        for features, truth in events.batches(chance):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step, total)
            with torch.autocast("cpu", torch.bfloat16):
                logits = head(features)
            loss = loss_of(logits.float(), truth)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(head.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
            step += 1
        print(f"epoch {epoch + 1} loss {np.mean(losses):.4f} {time.monotonic() - began:.0f} s", flush=True)
        torch.save(head.state_dict(), options.out)
        if watched is not None:
            print(report(head, watched), flush=True)


if __name__ == "__main__":
    main()
