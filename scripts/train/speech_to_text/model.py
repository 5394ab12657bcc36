"""The demo's Whisper: an encoder the size of Whisper tiny's and a small decoder. Weights are named as in transformers."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTH = 384
HEADS = 6
ENCODER_FFN = 1536
DECODER_FFN = 768
ENCODER_LAYERS = 4
DECODER_LAYERS = 2
POSITIONS = 1500
"""Encoder frames (30 s)."""
TOKENS = 448
"""Longest sequence of the decoder."""
LETTERS = 32
PHONES = 64


def sinusoids(length: int, channels: int) -> Tensor:
    """Whisper's positions: (length, channels), sines then cosines."""
    step = math.log(10_000) / (channels // 2 - 1)
    angle = torch.arange(length)[:, None] * torch.exp(-step * torch.arange(channels // 2))[None]
    return torch.cat([angle.sin(), angle.cos()], 1)


class Attention(nn.Module):
    """Multi-head attention over (batch, n, WIDTH)."""

    def __init__(self) -> None:
        super().__init__()
        self.q_proj = nn.Linear(WIDTH, WIDTH)
        self.k_proj = nn.Linear(WIDTH, WIDTH, bias=False)
        self.v_proj = nn.Linear(WIDTH, WIDTH)
        self.out_proj = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor, memory: Tensor | None = None, *, causal: bool = False) -> Tensor:
        """Attend to `memory`, or to `x` itself."""
        memory = x if memory is None else memory
        query, key, value = (
            projection(source).unflatten(2, (HEADS, -1)).transpose(1, 2)
            for projection, source in ((self.q_proj, x), (self.k_proj, memory), (self.v_proj, memory))
        )
        attended = F.scaled_dot_product_attention(query, key, value, is_causal=causal)
        return self.out_proj(attended.transpose(1, 2).flatten(2))


class Layer(nn.Module):
    """A pre-norm transformer layer; with `cross`, a decoder's."""

    def __init__(self, ffn: int, *, cross: bool) -> None:
        super().__init__()
        self.self_attn, self.self_attn_layer_norm = Attention(), nn.LayerNorm(WIDTH)
        if cross:
            self.encoder_attn, self.encoder_attn_layer_norm = Attention(), nn.LayerNorm(WIDTH)
        self.fc1, self.fc2, self.final_layer_norm = nn.Linear(WIDTH, ffn), nn.Linear(ffn, WIDTH), nn.LayerNorm(WIDTH)

    def forward(self, x: Tensor, memory: Tensor | None = None) -> Tensor:
        """Same shape as `x`."""
        x = x + self.self_attn(self.self_attn_layer_norm(x), causal=memory is not None)
        if memory is not None:
            x = x + self.encoder_attn(self.encoder_attn_layer_norm(x), memory)
        return x + self.fc2(F.gelu(self.fc1(self.final_layer_norm(x))))


class Encoder(nn.Module):
    """log-mel (batch, 80, 2n) -> (batch, n, WIDTH). `below`, all but the last layer, stays frozen."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(80, WIDTH, 3, padding=1)
        self.conv2 = nn.Conv1d(WIDTH, WIDTH, 3, stride=2, padding=1)
        self.embed_positions = nn.Embedding(POSITIONS, WIDTH)
        self.embed_positions.weight = nn.Parameter(sinusoids(POSITIONS, WIDTH), requires_grad=False)
        self.layers = nn.ModuleList(Layer(ENCODER_FFN, cross=False) for _ in range(ENCODER_LAYERS))
        self.layer_norm = nn.LayerNorm(WIDTH)

    def below(self, mel: Tensor) -> Tensor:
        """The frozen part."""
        x = F.gelu(self.conv2(F.gelu(self.conv1(mel)))).transpose(1, 2)
        x = x + self.embed_positions.weight[: x.shape[1]]
        for layer in self.layers[:-1]:
            x = layer(x)
        return x

    def top(self, x: Tensor) -> Tensor:
        """The trained part."""
        return self.layer_norm(self.layers[-1](x))

    def forward(self, mel: Tensor) -> Tensor:
        """All of it."""
        return self.top(self.below(mel))

    def start_from(self, weights: dict[str, Tensor]) -> None:
        """Load Smart Turn's weights (smart_turn.encoder_weights); positions remain sinusoids."""
        self.load_state_dict(weights | {"embed_positions.weight": self.embed_positions.weight})


class Decoder(nn.Module):
    """Tokens (batch, n) and the encoder's output -> logits (batch, n, vocabulary)."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.embed_tokens, self.embed_positions = nn.Embedding(vocabulary, WIDTH), nn.Embedding(TOKENS, WIDTH)
        nn.init.normal_(self.embed_tokens.weight, std=0.05)
        nn.init.normal_(self.embed_positions.weight, std=0.02)
        self.layers = nn.ModuleList(Layer(DECODER_FFN, cross=True) for _ in range(DECODER_LAYERS))
        self.layer_norm = nn.LayerNorm(WIDTH)

    def forward(self, tokens: Tensor, memory: Tensor) -> Tensor:
        """Logits of the token that follows each one."""
        x = self.embed_tokens(tokens) + self.embed_positions.weight[: tokens.shape[1]]
        for layer in self.layers:
            x = layer(x, memory)
        return self.layer_norm(x) @ self.embed_tokens.weight.T


class Whisper(nn.Module):
    """Encoder, decoder, and two heads that are only for training and not exported: `ctc` over letters, and `phone`."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder(vocabulary)
        self.ctc, self.phone = nn.Linear(WIDTH, LETTERS), nn.Linear(WIDTH, PHONES)
