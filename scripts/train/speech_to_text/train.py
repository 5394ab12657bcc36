"""Train the demo Whisper's last encoder layer and its decoder on stored features; the rest of the encoder stays frozen.

    python -m scripts.train.speech_to_text.train --turn-model smart-turn-v3.2-cpu.onnx --tokenizer tokenizer.json \
        --features features --tests data/test_seen.json data/test_heldout.json --minutes 95 --out checkpoint.pt
"""

import argparse
import math
import random
import time
from collections.abc import Sequence
from pathlib import Path

import jiwer
import numpy as np
import torch
from tokenizers import Tokenizer

from scripts.train.speech_to_text.audio import HOP, PhoneNumbers, load, log_mel
from scripts.train.speech_to_text.batches import Batch, batches
from scripts.train.speech_to_text.losses import Losses, Top, losses
from scripts.train.speech_to_text.model import Whisper
from scripts.train.speech_to_text.smart_turn import encoder_weights
from scripts.train.speech_to_text.tokenizer import TokenIds
from serving.audio import SPEECH_RATE, Pcm32

WARM_UP_STEPS = 300
TOP_RATE = 0.3
"""Learning rate of the encoder's last layer, relative to the decoder's."""
REPORT_S = 300
MAX_TOKENS = 60
"""Tokens of a transcript."""


class Trainer:
    """Model, optimiser and clock. The learning rate warms up, then follows a cosine of the elapsed time."""

    def __init__(self, model: Whisper, tokenizer: Tokenizer, *, minutes: float, rate: float) -> None:
        """Training ends after `minutes`; `rate` is the highest learning rate."""
        self.model, self.tokenizer, self.top = model, tokenizer, Top(model)
        self._minutes, self._rate, self._began = minutes, rate, time.monotonic()
        new = [*model.decoder.parameters(), *model.ctc.parameters(), *model.phone.parameters()]
        groups = [{"params": new, "scale": 1.0}, {"params": [*self.top.parameters()], "scale": TOP_RATE}]
        self._optimizer = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), weight_decay=0.05)
        self._steps = self._seen = 0
        self._log: list[list[float]] = []

    @property
    def progress(self) -> float:
        """Share of the time elapsed; training ends at 1."""
        return (time.monotonic() - self._began) / 60 / self._minutes

    def step(self, batch: Batch) -> None:
        """Learn from one batch."""
        progress = self.progress
        cosine = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1, progress)))
        for group in self._optimizer.param_groups:
            group["lr"] = self._rate * min(1, (self._steps + 1) / WARM_UP_STEPS) * cosine * group["scale"]
        found = losses(self.model, self.top, batch, self.tokenizer)
        found.total(progress).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self._optimizer.step()
        self._optimizer.zero_grad()
        self._steps, self._seen = self._steps + 1, self._seen + len(batch.rows)
        self._report(found, progress)

    def _report(self, found: Losses, progress: float) -> None:
        self._log.append(found.figures())
        if self._steps % 100 == 0:
            words, ctc, phones = np.mean(self._log[-100:], 0)
            speed = self._seen / (time.monotonic() - self._began)
            print(
                f"{progress:.1%} step {self._steps} utterances {self._seen}"
                f" words {words:.3f} ctc {ctc:.3f} phones {phones:.3f} {speed:.0f}/s",
                flush=True,
            )


def main(arguments: Sequence[str] | None = None) -> None:
    """Train for a given time and save the checkpoint."""
    options = _options(arguments)
    torch.manual_seed(0)
    chance = random.Random(0)
    torch.set_num_threads(options.threads)
    tokenizer = Tokenizer.from_file(str(options.tokenizer))
    model = Whisper(tokenizer.get_vocab_size())
    model.encoder.start_from(encoder_weights(options.turn_model))
    if options.resume:
        model.load_state_dict(torch.load(options.resume))
    trainer = Trainer(model, tokenizer, minutes=options.minutes, rate=options.rate)
    shards, reported = sorted(options.features.glob("*.pt")), time.monotonic()
    while trainer.progress < 1:
        for batch in batches(chance.choice(shards), chance):
            trainer.step(batch)
            if trainer.progress >= 1:
                break
        if time.monotonic() - reported > REPORT_S:
            _save(model, tokenizer, options, count=80)
            reported = time.monotonic()
    _save(model, tokenizer, options, count=400)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turn-model", type=Path, required=True, help="Smart Turn's ONNX file")
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--features", type=Path, required=True, help="folder of features.py")
    parser.add_argument("--tests", type=Path, nargs="*", default=[], help="shards to measure on")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--resume", type=Path, help="a checkpoint to start from")
    parser.add_argument("--rate", type=float, default=1e-3, help="highest learning rate")
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args(arguments)


def _save(model: Whisper, tokenizer: Tokenizer, options: argparse.Namespace, *, count: int) -> None:
    torch.save(model.state_dict(), options.out)
    for path in options.tests:
        rate, samples = word_error_rate(model, tokenizer, path.with_suffix(""), count)
        print(f"  {path.stem}: WER {rate:.3f} {samples}", flush=True)


@torch.no_grad()
def transcribe(model: Whisper, tokenizer: Tokenizer, audio: Pcm32) -> list[str]:
    """Greedy transcripts of (batch, samples) float32 at 16 kHz."""
    special = TokenIds.of(tokenizer)
    encoded, ids = (
        model.encoder(torch.from_numpy(log_mel(audio))),
        torch.tensor([[special.start, special.no_timestamps]] * len(audio)),
    )
    done = torch.zeros(len(audio), dtype=torch.bool)
    for _ in range(MAX_TOKENS):
        chosen = model.decoder(ids, encoded)[:, -1].argmax(-1)
        chosen[done] = special.end
        ids, done = torch.cat([ids, chosen[:, None]], 1), done | (chosen == special.end)
        if done.all():
            break
    return [tokenizer.decode([i for i in row[2:] if i < special.end]).strip() for row in ids.tolist()]


def word_error_rate(
    model: Whisper, tokenizer: Tokenizer, stem: Path, count: int
) -> tuple[float, list[tuple[str, str]]]:
    """The rate over the shard's first `count` utterances, and four pairs of what was said and heard."""
    utterances, heard = load(stem, PhoneNumbers())[:count], list[str]()
    lead = SPEECH_RATE // 10
    for start in range(0, len(utterances), 20):
        part = utterances[start : start + 20]
        samples = (max(len(utterance.pcm) for utterance in part) + SPEECH_RATE // 2) // HOP * HOP
        audio = np.zeros((len(part), samples), np.float32)
        for row, utterance in zip(audio, part, strict=True):
            row[lead : lead + len(utterance.pcm)] = utterance.pcm[: samples - lead] / 65536
        heard += transcribe(model, tokenizer, audio)
    said = [utterance.text for utterance in utterances]
    return jiwer.wer(said, heard), list(zip(said, heard, strict=True))[:4]


if __name__ == "__main__":
    main()
