"""The head: turns the frozen network's sound, the words and the context into the probability that the turn is over.

The log odds are `a + b . phi(silence)` with b >= 0 and phi increasing, so as a silence grows and nothing else changes, the
probability never falls: callers who pause go on after a while, and those who have finished do not.
"""

from collections.abc import Sequence

import torch
from torch import nn

from scripts.train.end_of_turn.encoder import WIDTH
from serving.turn.inputs import ASKED, HABITS
from serving.turn.words import BUCKETS, FIRST_WORD, MAX_DIGITS, MAX_WORDS, PIECES

SOUND = 64
"""Width of the summary of the sound."""
TEXT = 64
WORD, PHRASE = 48, 96
"""Width of a word's vector, and of that of three or five consecutive words."""
RISES = 3
MUTED = 0.5
"""Share of the states' channels that training drops, each for a whole sound."""

Batch = dict[str, torch.Tensor]


class Sound(nn.Module):
    """The last 2 s of states, attended to by four queries, and Smart Turn's own summary."""

    def __init__(self, dropout: float) -> None:
        """`dropout`: share of the values dropped in training."""
        super().__init__()
        self.narrow = nn.Sequential(nn.Linear(WIDTH, SOUND), nn.GELU())
        self.near = nn.Conv1d(SOUND, SOUND, 5, padding=2)
        self.queries = nn.Linear(SOUND, 4)
        self.summary = nn.Sequential(nn.Dropout(dropout), nn.Linear(WIDTH, SOUND), nn.GELU())
        self.join = nn.Sequential(nn.Dropout(dropout), nn.Linear(5 * SOUND + 1, SOUND), nn.GELU())

    def forward(self, states: torch.Tensor, pooled: torch.Tensor, logit: torch.Tensor) -> torch.Tensor:
        """(batch, n, 384), (batch, 384), (batch, 1) -> (batch, SOUND)."""
        if self.training:
            states, pooled = mixed(states, pooled)
            states = states * (torch.rand(len(states), 1, WIDTH) > MUTED) / (1 - MUTED)
        narrow = self.narrow(states)
        narrow = narrow + nn.functional.gelu(self.near(narrow.transpose(1, 2)).transpose(1, 2))
        weights = torch.softmax(self.queries(narrow), dim=1)
        heard = (weights.transpose(1, 2) @ narrow).flatten(1)
        return self.join(torch.cat([heard, self.summary(pooled), torch.tanh(logit / 4)], 1))


def mixed(states: torch.Tensor, pooled: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Moves each channel's mean and spread over time, and the summary, towards those of another sound in the batch.

    This is MixStyle (Zhou et al., 2021): there are few training voices, and what a voice is like says nothing about its turns.
    """
    count = len(states)
    own = torch.distributions.Beta(0.3, 0.3).sample((count, 1, 1))
    own = torch.maximum(own, 1 - own)
    other = torch.randperm(count)
    mean, spread = states.mean(1, keepdim=True), states.std(1, keepdim=True) + 1e-3
    new_mean, new_spread = (own * value + (1 - own) * value[other] for value in (mean, spread))
    return (states - mean) * (new_spread / spread) + new_mean, own[:, 0] * pooled + (1 - own[:, 0]) * pooled[other]


class Text(nn.Module):
    """The last words in order, each by its vector and its pieces, and the counts of digits and words."""

    def __init__(self, vocabulary: int, dropout: float) -> None:
        """`vocabulary`: number of known words."""
        super().__init__()
        self.words = nn.Embedding(FIRST_WORD + vocabulary, WORD, padding_idx=0)
        self.pieces = nn.Embedding(BUCKETS + 1, WORD, padding_idx=0)
        self.drop = nn.Dropout(dropout)
        self.three = nn.Conv1d(WORD, PHRASE, 3)
        self.five = nn.Conv1d(PHRASE, PHRASE, 3)
        self.run = nn.Embedding(MAX_DIGITS + 1, 16)
        self.digits = nn.Embedding(MAX_DIGITS + 1, 16)
        self.count = nn.Embedding(MAX_WORDS + 1, 16)
        self.asked = nn.Embedding(len(ASKED), 16)
        self.join = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(3 * PHRASE + 64, 128),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(128, TEXT),
            nn.GELU(),
        )

    def forward(
        self, words: torch.Tensor, pieces: torch.Tensor, counts: torch.Tensor, asked: torch.Tensor
    ) -> torch.Tensor:
        """(batch, 10), (batch, 10, 4), (batch, 3), (batch,) -> (batch, TEXT)."""
        said = self.drop(self.words(words) + self.pieces(pieces).sum(2) / PIECES).transpose(1, 2)
        three = nn.functional.gelu(self.three(said))
        five = nn.functional.gelu(self.five(three))
        phrases = [three[:, :, -1], five[:, :, -1], five.amax(2)]
        numbers = [self.run(counts[:, 0]), self.digits(counts[:, 1]), self.count(counts[:, 2]), self.asked(asked)]
        return self.join(torch.cat([*phrases, *numbers], 1))


class Head(nn.Module):
    """A verdict from words and habits, and a correction to it from the sound."""

    def __init__(self, vocabulary: int, dropout: float = 0.3) -> None:
        """`vocabulary`: number of known words."""
        super().__init__()
        self.sound, self.text = Sound(dropout), Text(vocabulary, dropout)
        self.unheard = _judge(TEXT + HABITS, dropout)
        self.heard = _judge(SOUND + TEXT + HABITS, dropout)

    def parts(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """a (batch, 1) and b (batch, RISES) of the module's docstring; from words alone if the batch has no "states"."""
        text = torch.cat(
            [self.text(batch["words"], batch["pieces"], batch["counts"], batch["asked"]), batch["habits"]], 1
        )
        found = self.unheard(text)
        if "states" in batch:
            sound = self.sound(batch["states"], batch["pooled"], batch["logit"])
            found = found + self.heard(torch.cat([sound, text], 1))
        return found[:, :1], nn.functional.softplus(found[:, 1:])

    def forward(self, batch: Batch) -> torch.Tensor:
        """Log odds (batch, times) for silences (batch, times) in seconds."""
        level, rises = self.parts(batch)
        return level + (rises[:, None, :] * phi(batch["silence_s"])).sum(-1)


class Heads(nn.Module):
    """The mean of several heads, trained separately."""

    def __init__(self, heads: Sequence[Head]) -> None:
        """All with the same vocabulary."""
        super().__init__()
        self.heads = nn.ModuleList(heads)

    def forward(self, batch: Batch) -> torch.Tensor:
        """Mean log odds, as Head gives them."""
        return torch.stack([head(batch) for head in self.heads]).mean(0)


def _judge(width: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        *(nn.Linear(width, 96), nn.GELU(), nn.Dropout(dropout)),
        *(nn.Linear(96, 64), nn.GELU(), nn.Linear(64, 1 + RISES)),
    )


def phi(silence_s: torch.Tensor) -> torch.Tensor:
    """(batch, times) -> (batch, times, RISES), each increasing with the silence."""
    bends = [torch.log1p(silence_s / 0.15), torch.relu(silence_s - 0.3), torch.relu(silence_s - 0.8)]
    return torch.stack(bends, -1)
