"""Trains the demo model from scratch on simulated calls, on a CPU.

python -m scripts.train.language_model.train 60 --threads 2 --lr 4e-3 --drills 10 --seed 3 --out ckpt.pt
python -m scripts.train.language_model.train 60 --threads 2 --lr 3.5e-3 --seed 3 --resume ckpt.pt --out ckpt2.pt

The learning rate follows the clock, so that a run ends on time on any machine. Continue with the same seed, which determines the
codes of the copy circuit. Each step has two clinics, so that facts cannot be remembered and must be copied; the first steps also
train on copy drills.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import nn

from scripts.train.language_model.batches import Batch, Batches
from scripts.train.language_model.copy_circuit import CopyCircuit
from scripts.train.language_model.model import Model
from scripts.train.language_model.muon import Muon

CLINICS_A_STEP = 2
VALIDATION_SEED = 999983
VALIDATION_BATCHES = 20
DRILL_EVERY = 10
DRILL_WEIGHT = 0.5
REPORT_EVERY = 25
VALIDATE_EVERY = 200
SAVE_EVERY_S = 150
ADAM_RATES = {"embedding": 2e-2, "norms": 3e-4, "output": 3e-3}


@dataclass(frozen=True, slots=True)
class Schedule:
    """The learning rate as a share of the highest: a short warm-up, a plateau, then down to almost nothing."""

    warm_up_steps: int
    falling_share: float
    """Share of the time during which it falls."""

    def rate(self, step: int, elapsed: float) -> float:
        """At a step (from 0), after a share of the time."""
        return min(1, (step + 1) / self.warm_up_steps) * max(0.02, min(1, (1 - elapsed) / self.falling_share))


FROM_NOTHING = Schedule(warm_up_steps=40, falling_share=0.6)
RESUMED = Schedule(warm_up_steps=12, falling_share=0.9)


class Optimizers:
    """Muon for the matrices, AdamW for embedding, output layer and norms."""

    def __init__(self, model: Model, rate: float) -> None:
        outer = ("emb", "head")
        matrices = [value for name, value in model.named_parameters() if value.ndim == 2 and name not in outer]
        norms = [parameter for parameter in model.parameters() if parameter.ndim == 1]
        groups = [{"params": [model.emb]}, {"params": norms}, {"params": [model.head]}]
        self._model, self._rate, self._clipped = model, rate, [model.emb, model.head]
        self._muon = Muon(matrices)
        self._adam = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.98), weight_decay=0.0)

    def step(self, share: float) -> None:
        """Apply the gradients, at that share of the highest rate."""
        nn.utils.clip_grad_norm_(self._clipped, 1.0)
        self._muon.step(self._rate * share)
        for group, rate in zip(self._adam.param_groups, ADAM_RATES.values(), strict=True):
            group["lr"] = rate * share
        self._adam.step()
        for parameter in self._model.parameters():
            parameter.grad = None


class Training:
    """One training run."""

    def __init__(self, tokenizer: Tokenizer, options: argparse.Namespace) -> None:
        """Builds the model, or loads the one to continue with."""
        self._options = options
        is_resumed = options.resume is not None
        self._batches = Batches(tokenizer, options.seed + 1000 * is_resumed)
        validation = Batches(tokenizer, VALIDATION_SEED)
        self._validation = [validation.next() for _ in range(VALIDATION_BATCHES)]
        self._schedule = RESUMED if is_resumed else FROM_NOTHING
        self.model = Model()
        self._circuit = CopyCircuit(self.model)
        if is_resumed:
            self.model.load_state_dict(torch.load(options.resume)["model"])
        self._optimizers = Optimizers(self.model, options.lr)
        self.steps = self.tokens = 0
        self._loss: float | None = None
        self._drill_loss = 0.0

    def run(self) -> None:
        """Train for the given minutes, saving at intervals and at the end."""
        began = saved = time.monotonic()
        while (elapsed := (time.monotonic() - began) / (60 * self._options.minutes)) < 1:
            share = self._schedule.rate(self.steps, elapsed)
            self.step(share)
            if self.steps % REPORT_EVERY == 0 or self.steps in (5, 10, 15):
                self._report(share, self.tokens / (time.monotonic() - began))
            if time.monotonic() - saved > SAVE_EVERY_S:
                saved = time.monotonic()
                self.save()
        self.save()
        print(f"done: {self.steps} steps, {self.tokens} tokens", flush=True)

    def step(self, share: float) -> float:
        """One step. Returns its loss."""
        batches = [self._batches.next() for _ in range(CLINICS_A_STEP)]
        targets = sum(int((batch.targets >= 0).sum()) for batch in batches)
        loss = sum(self._learn(batch, targets) for batch in batches)
        if self.steps < self._options.drills or self.steps % DRILL_EVERY == 0:
            summed, count = self.model.loss(*self._batches.drill())
            (DRILL_WEIGHT * summed / count).backward()
            self._drill_loss = summed.item() / count
        self._optimizers.step(share)
        self._circuit.restore()
        self.steps += 1
        self._loss = loss if self._loss is None else 0.97 * self._loss + 0.03 * loss
        return loss

    def _learn(self, batch: Batch, targets: int) -> float:
        summed, _ = self.model.loss(*batch)
        (summed / targets).backward()
        self.tokens += batch.calls.numel() + len(batch.prompt)
        return float(summed.item() / targets)

    def save(self) -> None:
        """Write the checkpoint."""
        state = {"model": self.model.state_dict(), "shape": self.model.shape.as_dict()}
        torch.save({**state, "step": self.steps, "tokens": self.tokens}, self._options.out)

    def _report(self, share: float, tokens_per_s: float) -> None:
        losses = f"loss {self._loss:.4f} drill {self._drill_loss:.3f}"
        print(f"step {self.steps} {losses} rate {share:.3f} {tokens_per_s:.0f} tokens/s", flush=True)
        if self.steps % VALIDATE_EVERY == 0:
            with torch.no_grad():
                sums = [self.model.loss(*batch) for batch in self._validation]
            print(f"   validation {sum(s.item() for s, _ in sums) / sum(n for _, n in sums):.4f}", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("minutes", type=float)
    parser.add_argument("--out", type=Path, default=Path("ckpt.pt"))
    parser.add_argument("--tokenizer", type=Path, default=Path("tokenizer.json"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--resume", type=Path, help="a checkpoint to continue from")
    parser.add_argument("--lr", type=float, default=8e-3, help="highest learning rate of the matrices")
    parser.add_argument("--drills", type=int, default=0, help="number of first steps with a copy drill each")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    training = Training(Tokenizer.from_file(str(options.tokenizer)), options)
    print(f"{sum(parameter.numel() for parameter in training.model.parameters())} parameters", flush=True)
    training.run()


if __name__ == "__main__":
    main()
