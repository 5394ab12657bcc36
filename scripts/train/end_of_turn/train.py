"""Train a head on the features of rendered turns, and on the words of many more turns.

    python -m scripts.train.end_of_turn.train --shards data/train_1.json data/train_2.json --tests data/held.json \
        --epochs 12 --out checkpoint.pt
"""

import argparse
import json
import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from scripts.train.end_of_turn.figures import auc
from scripts.train.end_of_turn.heard import TIMES_S, Row, context_arrays, hearing, weights
from scripts.train.end_of_turn.model import Batch, Head
from scripts.train.end_of_turn.takes import Takes
from serving.speech import Asked
from serving.turn.words import FIRST_WORD, spoken_words

HEARINGS = 4
"""Versions of each take's words for training to draw from."""
BATCH = 192
UNSPOKEN_BATCH = 1024
UNSPOKEN_SEED = 1007
RARE = 4
"""A word that occurs fewer times has no vector of its own."""

Arrays = dict[str, NDArray[Any]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, report on the tests and write a checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=Path, nargs="+", required=True, help="their .json files")
    parser.add_argument("--tests", type=Path, nargs="*", default=[])
    parser.add_argument("--unspoken", type=int, default=150_000, help="takes with words only")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--resume", type=Path, help="a checkpoint to continue from")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    rng = random.Random(options.seed)
    rows, sounds = load(options.shards)
    unspoken = _unspoken(options.unspoken, UNSPOKEN_SEED)
    saved = torch.load(options.resume, weights_only=True) if options.resume else None
    vocabulary = numbered(saved["vocabulary"]) if saved else words_known([*rows, *unspoken])
    spoken_data = Data(rows, vocabulary, rng, sounds)
    data = (spoken_data, Data(unspoken, vocabulary, rng, None))
    tests = {path.stem: Data(*_swapped(load([path]), vocabulary, rng)) for path in options.tests}
    head = Head(len(vocabulary))
    if saved:
        head.load_state_dict(saved["head"])
    print(f"{len(rows)} silences, {len(unspoken)} more with words only, {len(vocabulary)} words known", flush=True)
    train(head, data, tests, options.epochs, options.rate, np.random.default_rng(options.seed))
    torch.save({"head": head.state_dict(), "vocabulary": list(vocabulary)}, options.out)


def load(stems: Sequence[Path]) -> tuple[list[Row], Arrays]:
    """The takes of some shards and their sound."""
    rows: list[Row] = []
    for path in stems:
        rows += [Row(**row | {"asked": Asked(row["asked"])}) for row in json.loads(path.read_text(encoding="utf-8"))]
    states = np.concatenate([np.load(path.with_suffix(".npy")) for path in stems])
    others = [np.load(path.with_suffix(".npz")) for path in stems]
    pooled = np.concatenate([other["pooled"] for other in others])
    return rows, {
        "states": states,
        "pooled": pooled,
        "logit": np.concatenate([other["logits"] for other in others])[:, None],
    }


def words_known(rows: Sequence[Row]) -> dict[str, int]:
    """The frequent words, numbered from FIRST_WORD."""
    counted = Counter(word for row in rows if row.ended for word in spoken_words(row.words))
    return numbered(sorted(word for word, count in counted.items() if count >= RARE))


def numbered(words: Sequence[str]) -> dict[str, int]:
    """Words -> the numbers of their vectors."""
    return {word: FIRST_WORD + number for number, word in enumerate(words)}


def _unspoken(count: int, seed: int) -> list[Row]:
    takes = islice(Takes(seed).unspoken(), count)
    return [Row(t.words, t.ended, t.asked, t.kind, t.caller, t.hold_s, t.voice) for t in takes]


def _swapped(loaded: tuple[list[Row], Arrays], vocabulary: dict[str, int], rng: random.Random) -> tuple[Any, ...]:
    rows, sounds = loaded
    return rows, vocabulary, rng, sounds


class Data:
    """Takes as arrays, each with several versions of its words."""

    def __init__(
        self, rows: Sequence[Row], vocabulary: dict[str, int], rng: random.Random, sounds: Arrays | None
    ) -> None:
        """`sounds`: the arrays that load() returns; None: words only."""
        self.rows, self.sounds = rows, sounds
        self._vocabulary, self._rng = vocabulary, rng
        hearings = HEARINGS if sounds is not None else 2
        found = [[context_arrays(row, hearing(row, rng), vocabulary, rng) for _ in range(hearings)] for row in rows]
        self.hearings = {
            name: np.array([[one[name] for one in versions] for versions in found]) for name in found[0][0]
        }
        self.ended = np.array([row.ended for row in rows], np.float32)
        self.weights = np.array([weights(row) for row in rows], np.float32)

    @cached_property
    def exact(self) -> Arrays:
        """The words as said, for tests only."""
        found = [context_arrays(row, row.words, self._vocabulary, self._rng) for row in self.rows]
        return {name: np.array([one[name] for one in found]) for name in found[0]}

    def batch(self, chosen: NDArray[np.int64], rng: np.random.Generator | None) -> Batch:
        """Some takes, each with a random version of its words; without a generator, as said."""
        if rng is None:
            arrays = {name: values[chosen] for name, values in self.exact.items()}
        else:
            versions = rng.integers(next(iter(self.hearings.values())).shape[1], size=len(chosen))
            arrays = {name: values[chosen, versions] for name, values in self.hearings.items()}
        if self.sounds is not None:
            arrays |= {name: values[chosen].astype(np.float32) for name, values in self.sounds.items()}
        arrays["silence_s"] = np.tile(np.array(TIMES_S, np.float32), (len(chosen), 1))
        return {name: torch.from_numpy(np.ascontiguousarray(values)) for name, values in arrays.items()}


def train(
    head: Head, data: Sequence[Data], tests: dict[str, Data], epochs: int, rate: float, rng: np.random.Generator
) -> None:
    """AdamW with warm-up, then down to zero; each step has takes with sound and takes with words only."""
    steps = epochs * (len(data[0].rows) // BATCH)
    best = torch.optim.AdamW(head.parameters(), lr=rate, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(best, rate, total_steps=max(steps, 2), pct_start=0.15)
    streams = [_shuffled(len(part.rows), size, rng) for part, size in zip(data, (BATCH, UNSPOKEN_BATCH), strict=True)]
    for step in range(steps):
        head.train()
        loss = torch.zeros(())
        for part, stream, share in zip(data, streams, (1.0, 0.5), strict=True):
            chosen = next(stream)
            loss = loss + share * loss_of(head, part.batch(chosen, rng), part, chosen)
        best.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(head.parameters(), 1.0)
        best.step()
        schedule.step()
        if (step + 1) % (len(data[0].rows) // BATCH) == 0:
            figures = "  ".join(f"{name} {tested(head, test)}" for name, test in tests.items())
            print(f"epoch {(step + 1) * epochs // steps}: loss {loss.item():.3f}  {figures}", flush=True)


def loss_of(head: Head, batch: Batch, data: Data, chosen: NDArray[np.int64]) -> torch.Tensor:
    """Binary cross-entropy over silences, each weighted by how often it still lasts."""
    truth = torch.from_numpy(data.ended[chosen])[:, None].expand(-1, len(TIMES_S))
    weight = torch.from_numpy(data.weights[chosen])
    losses = torch.nn.functional.binary_cross_entropy_with_logits(head(batch), truth, weight, reduction="sum")
    return losses / weight.sum()


def _shuffled(count: int, size: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    while True:
        order = rng.permutation(count)
        for begin in range(0, max(count - size, 0) + 1, size):
            yield order[begin : begin + size]


@torch.no_grad()
def tested(head: Head, data: Data) -> str:
    """Area under the curve at 0.2 s: with the words as said, and with none."""
    head.eval()
    everything = np.arange(len(data.rows))
    found = []
    for blind in (False, True):
        scores = []
        for chosen in np.array_split(everything, max(1, len(everything) // 500)):
            batch = data.batch(chosen, None)
            if blind:
                batch |= {name: torch.zeros_like(batch[name]) for name in ("words", "pieces", "counts", "asked")}
            scores.append(head(batch)[:, 1].numpy())
        found.append(f"{auc(np.concatenate(scores), data.ended > 0.5):.3f}")
    smart_turn = auc(data.sounds["logit"][:, 0], data.ended > 0.5) if data.sounds else math.nan
    return f"AUC {found[0]}, no words {found[1]}, Smart Turn {smart_turn:.3f}"


if __name__ == "__main__":
    main()
