"""The network: the lower layers of Smart Turn's encoder with causal attention, and a recurrent head that judges every frame.

No frame depends on later ones, so one pass over an event gives the network's verdict after every length of overlap. The window
begins LEAD_S before the onset, so the position of a frame tells how long the overlap has lasted.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scripts.train.speech_to_text.model import HEADS, WIDTH, Attention, Encoder, Layer

LAYERS = 3
"""Encoder layers that are used; they stay frozen."""
HIDDEN = 128
MAX_FRAMES = 100
"""20 ms frames in a window, at most."""


class Body(nn.Module):
    """log-mel (batch, 80, m) -> (batch, (m - 1) // 2, WIDTH): frozen features; frame j has heard mel frames up to 2 j + 2."""

    def __init__(self) -> None:
        super().__init__()
        whole = Encoder()
        self.conv1, self.conv2 = whole.conv1, whole.conv2
        self.register_buffer("positions", whole.embed_positions.weight[:MAX_FRAMES].clone(), persistent=False)
        self.layers = nn.ModuleList(list(whole.layers)[:LAYERS])

    def start_from(self, weights: dict[str, Tensor]) -> None:
        """Load Smart Turn's weights."""
        own = dict(self.named_parameters())
        with torch.no_grad():
            for name, parameter in own.items():
                parameter.copy_(weights[name])

    def forward(self, mel: Tensor) -> Tensor:
        """The features."""
        x = F.gelu(self.conv2(F.gelu(self.conv1(mel)))).transpose(1, 2)[:, : (mel.shape[2] - 1) // 2]
        x = x + self.positions[: x.shape[1]]
        for layer in self.layers:
            x = _past_only(layer, x)
        return x


def _past_only(layer: Layer, x: Tensor) -> Tensor:
    x = x + _attended(layer.self_attn, layer.self_attn_layer_norm(x))
    return x + layer.fc2(F.gelu(layer.fc1(layer.final_layer_norm(x))))


def _attended(attention: Attention, x: Tensor) -> Tensor:
    query, key, value = (
        projection(x).unflatten(2, (HEADS, WIDTH // HEADS)).transpose(1, 2)
        for projection in (attention.q_proj, attention.k_proj, attention.v_proj)
    )
    scores = query @ key.transpose(2, 3) * (WIDTH // HEADS) ** -0.5
    places = torch.arange(x.shape[1])
    scores = scores + torch.where(places[None] > places[:, None], -1e4, 0.0)
    return attention.out_proj((scores.softmax(-1) @ value).transpose(1, 2).flatten(2))


class Head(nn.Module):
    """Features (batch, n, WIDTH) -> logits (batch, n, 3)."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.narrow = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, HIDDEN)
        self.memory = nn.GRU(HIDDEN, HIDDEN, batch_first=True)
        self.verdict = nn.Linear(HIDDEN, 3)
        self.drop = nn.Dropout(0.2)

    def forward(self, features: Tensor) -> Tensor:
        """Each frame's verdict on what has been heard so far."""
        narrow = F.gelu(self.narrow(self.drop(self.norm(features))))
        return self.verdict(self.drop(self.memory(self.drop(narrow))[0]))


class Network(nn.Module):
    """What is exported: log-mel (1, 80, m) -> probabilities (1, 3) of its last frame, averaged over several heads."""

    def __init__(self, body: Body, heads: Sequence[Head]) -> None:
        super().__init__()
        self.body, self.heads = body, nn.ModuleList(heads)

    def forward(self, mel: Tensor) -> Tensor:
        """Interruption, backchannel, other."""
        features = self.body(mel)
        return torch.stack([head(features)[:, -1].softmax(-1) for head in self.heads]).mean(0)
