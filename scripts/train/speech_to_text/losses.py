"""The three losses: words (decoder), letters (CTC, Graves et al. 2006) and phones per frame; the last two train the encoder."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.func import functional_call

from scripts.train.speech_to_text.batches import Batch
from scripts.train.speech_to_text.model import Whisper
from scripts.train.speech_to_text.tokenizer import TokenIds

LETTER = {letter: number + 1 for number, letter in enumerate(" 'abcdefghijklmnopqrstuvwxyz")}
LABEL_SMOOTHING = 0.05
CTC_WEIGHT = 0.3
IGNORED = -100


class Top(nn.Module):
    """The trained part of the encoder, which can run with bfloat16 copies of its weights."""

    def __init__(self, model: Whisper) -> None:
        super().__init__()
        self.layer, self.norm = model.encoder.layers[-1], model.encoder.layer_norm

    def forward(self, x: Tensor) -> Tensor:
        """Features -> the encoder's output."""
        return self.norm(self.layer(x))


@dataclass(frozen=True, slots=True)
class Losses:
    """Means over a batch, each a scalar with gradient."""

    words: Tensor
    ctc: Tensor
    phones: Tensor

    def total(self, progress: float) -> Tensor:
        """The loss to minimise; phones weigh less after 40 % of the time."""
        return self.words + CTC_WEIGHT * self.ctc + (0.5 if progress < 0.4 else 0.2) * self.phones

    def figures(self) -> list[float]:
        """For the log."""
        return [self.words.item(), self.ctc.item(), self.phones.item()]


def losses(model: Whisper, top: Top, batch: Batch, tokenizer: Tokenizer) -> Losses:
    """Run the trained part of the model on one batch."""
    weights = {name: value.to(torch.bfloat16) for name, value in top.named_parameters()}
    encoded = functional_call(top, weights, (batch.features,)).float()
    words = _words(model, encoded, batch, tokenizer)
    return Losses(words, _ctc(model, encoded, batch), _phones(model, encoded, batch, none=0 * words))


def _words(model: Whisper, encoded: Tensor, batch: Batch, tokenizer: Tokenizer) -> Tensor:
    ids, special = (
        [tokenizer.encode(" " + text).ids if text else [] for text, _, _ in batch.rows],
        TokenIds.of(tokenizer),
    )
    width = max(map(len, ids)) + 2
    given, wanted = torch.full((len(ids), width), special.end), torch.full((len(ids), width), IGNORED)
    for i, pieces in enumerate(ids):
        first = special.no_timestamps if pieces else special.no_speech
        given[i, : len(pieces) + 2] = torch.tensor([special.start, special.no_timestamps, *pieces])
        wanted[i, : len(pieces) + 2] = torch.tensor([first, *pieces, special.end])
    logits = model.decoder(given, encoded).flatten(0, 1)
    return F.cross_entropy(logits, wanted.flatten(), ignore_index=IGNORED, label_smoothing=LABEL_SMOOTHING)


def _ctc(model: Whisper, encoded: Tensor, batch: Batch) -> Tensor:
    spoken = [i for i, (text, _, _) in enumerate(batch.rows) if text]
    letters = [torch.tensor([LETTER[letter] for letter in batch.rows[i][0]]) for i in spoken]
    return F.ctc_loss(
        model.ctc(encoded[spoken]).log_softmax(-1).transpose(0, 1),
        torch.cat(letters),
        torch.tensor([batch.rows[i][1] for i in spoken]),
        torch.tensor([len(text) for text in letters]),
        zero_infinity=True,
    )


def _phones(model: Whisper, encoded: Tensor, batch: Batch, *, none: Tensor) -> Tensor:
    """Returns `none` if no utterance in the batch has phones."""
    wanted = torch.full(batch.features.shape[:2], IGNORED)
    for i, (_, _, phones) in enumerate(batch.rows):
        if phones is not None:
            wanted[i, : len(phones)] = phones[: wanted.shape[1]].long()
    if not (wanted >= 0).any():
        return none
    return F.cross_entropy(model.phone(encoded).flatten(0, 1), wanted.flatten(), ignore_index=IGNORED)
