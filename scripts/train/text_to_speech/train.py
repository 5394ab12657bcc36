"""Train the acoustic model on the teacher's parameters.

python -m scripts.train.text_to_speech.train --data work --minutes 60 --out work/checkpoint.pt
"""

import argparse
import math
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from scripts.train.text_to_speech.model import OUTPUTS, Acoustic
from scripts.train.text_to_speech.targets import Batch, Sentence, collate, groups, load
from scripts.train.text_to_speech.vocoder import CEPSTRUM

VALIDATION = 150
"""Sentences, but at most a tenth of them."""
SHORT_FRAMES = 300
"""Sentences shorter than this (1.5 s) are repeated: they occur once in the corpus but often in use."""
SHORT_REPEATS = 3
WARM_UP_STEPS = 200
REPORT_S = 150
LOSS_NAMES = ("duration", "f0", "voicing", "cepstrum", "strength")
LOSS_WEIGHTS = (1.0, 1.0, 0.5, 2.0, 0.5)


def losses(model: Acoustic, batch: Batch, cepstrum_weights: Tensor) -> Tensor:
    """The five losses of LOSS_NAMES."""
    phones, log_frames = model.encode(batch.ids, batch.id_mask)
    outputs = model.decode(phones, batch.owner, batch.start, batch.frames, batch.frame_mask)
    wanted = torch.log1p(batch.frames.float())
    duration = F.smooth_l1_loss(log_frames, wanted, beta=0.1, reduction="none") * batch.id_mask[:, 0]
    error = F.smooth_l1_loss(outputs, batch.targets, beta=0.1, reduction="none") * batch.frame_mask
    voiced, frames = batch.targets[:, 1], batch.frame_mask.sum()
    voicing = F.binary_cross_entropy_with_logits(outputs[:, 1], voiced, reduction="none") * batch.frame_mask[:, 0]
    cepstrum = error[:, 2 : 2 + CEPSTRUM] * cepstrum_weights[None, :, None]
    strength = error[:, 2 + CEPSTRUM :]
    return torch.stack(
        [
            duration.sum() / batch.id_mask.sum(),
            (error[:, 0] * (0.1 + 0.9 * voiced)).sum() / frames,
            voicing.sum() / frames,
            cepstrum.sum() / frames / CEPSTRUM,
            strength.sum() / frames / (OUTPUTS - 2 - CEPSTRUM),
        ]
    )


class Trainer:
    """Model, its running average, which is saved, optimiser and clock."""

    def __init__(self, sentences: Sequence[Sentence], *, minutes: float, rate: float) -> None:
        """Training ends after `minutes`; `rate` is the highest learning rate."""
        self._rng = np.random.default_rng(0)
        self._minutes, self._rate, self._began = minutes, rate, time.monotonic()
        self._mean, self._std = _statistics(sentences)
        weights = torch.tensor((self._std[2 : 2 + CEPSTRUM] / self._std[2 : 2 + CEPSTRUM].mean()) ** 0.5)
        self._cepstrum_weights = weights / weights.mean()
        order = np.random.default_rng(1).permutation(len(sentences))
        held = min(VALIDATION, len(sentences) // 10)
        validation = [sentences[k] for k in order[:held]]
        training = [sentences[k] for k in order[held:]]
        short = [sentence for sentence in training if len(sentence.targets) < SHORT_FRAMES]
        self._training = training + SHORT_REPEATS * short
        self.model = Acoustic()
        self.model.mean.copy_(torch.tensor(self._mean))
        self.model.std.copy_(torch.tensor(self._std))
        self._optimizer = torch.optim.AdamW(self.model.parameters(), lr=rate, betas=(0.9, 0.98), weight_decay=0.01)
        self._validation = [self._batch([validation[k] for k in group]) for group in groups(validation, self._rng)]
        self._steps = 0
        self._log: list[NDArray[np.float32]] = []

    @property
    def progress(self) -> float:
        """Share of the time elapsed; training ends at 1."""
        return (time.monotonic() - self._began) / 60 / self._minutes

    def run(self, out: Path) -> None:
        """Train until the time is up, saving the average at intervals and at the end."""
        self._average = {name: value.clone() for name, value in self.model.state_dict().items()}
        self.model.train()
        saved = time.monotonic()
        while self.progress < 1:
            for group in groups(self._training, self._rng):
                if self.progress >= 1:
                    break
                self._step(self._batch([self._training[k] for k in group]))
                if time.monotonic() - saved > REPORT_S:
                    self._save(out)
                    saved = time.monotonic()
        self._save(out)

    def _batch(self, sentences: Sequence[Sentence]) -> Batch:
        return collate(sentences, self._mean, self._std)

    def _step(self, batch: Batch) -> None:
        progress = self.progress
        cosine = 0.5 * (1 + math.cos(math.pi * progress)) * 0.98 + 0.02
        for group in self._optimizer.param_groups:
            group["lr"] = self._rate * min(1, (self._steps + 1) / WARM_UP_STEPS) * cosine
        found = losses(self.model, batch, self._cepstrum_weights)
        self._optimizer.zero_grad(set_to_none=True)
        (found * torch.tensor(LOSS_WEIGHTS)).sum().backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self._optimizer.step()
        self._steps += 1
        self._log.append(found.detach().numpy())
        self._update_average()
        if self._steps % 50 == 0:
            print(f"{progress:.1%} step {self._steps} {_figures(np.mean(self._log[-50:], 0))}", flush=True)

    @torch.no_grad()
    def _update_average(self) -> None:
        decay = min(0.998, (self._steps + 1) / (self._steps + 20))
        for name, value in self.model.state_dict().items():
            self._average[name].mul_(decay).add_(value, alpha=1 - decay)

    def _save(self, out: Path) -> None:
        """Write the averaged weights and print their losses on the validation sentences."""
        current = {name: value.clone() for name, value in self.model.state_dict().items()}
        self.model.load_state_dict(self._average)
        self.model.eval()
        with torch.no_grad():
            found = [losses(self.model, batch, self._cepstrum_weights) for batch in self._validation]
        torch.save(self.model.state_dict(), out)
        print(f"  validation {_figures(torch.stack(found).mean(0).numpy())}", flush=True)
        self.model.load_state_dict(current)
        self.model.train()


def _statistics(sentences: Sequence[Sentence]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and standard deviation of the targets, over every seventh frame; pitch only where voiced; voicing stays 0 or 1."""
    frames = np.concatenate([sentence.targets[::7].astype(np.float32) for sentence in sentences])
    voiced = frames[:, 1] > 0
    mean, std = frames.mean(0), frames.std(0) + 1e-3
    mean[0], std[0] = frames[voiced, 0].mean(), frames[voiced, 0].std()
    mean[1], std[1] = 0, 1
    return mean, std


def _figures(values: NDArray[np.float32]) -> str:
    return " ".join(f"{name} {value:.4f}" for name, value in zip(LOSS_NAMES, values, strict=True))


def main(arguments: Sequence[str] | None = None) -> None:
    """Train for a given time and save the checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of dataset.py")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--resume", type=Path, help="a checkpoint to start from")
    parser.add_argument("--rate", type=float, default=1.5e-3, help="highest learning rate")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    sentences = load(options.data)
    trainer = Trainer(sentences, minutes=options.minutes, rate=options.rate)
    weights = sum(parameter.numel() for parameter in trainer.model.parameters())
    print(f"{len(sentences)} sentences, {weights / 1e6:.2f} M weights", flush=True)
    if options.resume:
        trainer.model.load_state_dict(torch.load(options.resume))
    trainer.run(options.out)


if __name__ == "__main__":
    main()
