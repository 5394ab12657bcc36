"""The Llama in training: RMSNorm, RoPE, grouped-query attention, SwiGLU, untied output layer.

A batch is one prompt and several calls that begin with it. The prompt is computed once and every call attends to it, which gives
exactly the result of a forward pass over each whole call. Weights are float32, products bfloat16.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CHUNK_TOKENS = 128
"""Rows of the attention matrix computed at a time, which skips most of its masked half."""

MAX_TOKENS = 2048


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the model."""

    vocabulary: int = 2048
    width: int = 256
    layers: int = 6
    heads: int = 4
    kv_heads: int = 2
    head_width: int = 64
    ffn: int = 704
    theta: float = 500000.0
    """Base of the rotary angles."""
    epsilon: float = 1e-5

    def as_dict(self) -> dict[str, Any]:
        """For the checkpoint."""
        return asdict(self)


class Linear(nn.Module):
    """float32 weight, bfloat16 product."""

    def __init__(self, inputs: int, outputs: int, std: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) * std)

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) to (..., outputs), bfloat16."""
        return F.linear(x, self.weight.to(torch.bfloat16))


@dataclass(frozen=True, slots=True)
class Layout:
    """How the rows of a batch are arranged: first the prompt's tokens, then those of all calls."""

    prompt: int
    calls: int
    call_tokens: int
    rope: tuple[Tensor, Tensor]
    """Cosine and sine (rows, 1, head_width / 2)."""
    mask: Tensor
    """(call_tokens, prompt + call_tokens), 0 or -inf."""


class Block(nn.Module):
    """One layer."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        width, std = shape.width, shape.width**-0.5
        out_scale = math.sqrt(2 * shape.layers)
        query_width, kv_width = shape.heads * shape.head_width, shape.kv_heads * shape.head_width
        self.n1 = nn.Parameter(torch.ones(width))
        self.n2 = nn.Parameter(torch.ones(width))
        self.q = Linear(width, query_width, std)
        self.k = Linear(width, kv_width, std)
        self.v = Linear(width, kv_width, std)
        self.o = Linear(query_width, width, std / out_scale)
        self.gate = Linear(width, shape.ffn, std)
        self.up = Linear(width, shape.ffn, std)
        self.down = Linear(shape.ffn, width, shape.ffn**-0.5 / out_scale)

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """(rows, width) float32 to the same."""
        shape = self.shape
        h = F.rms_norm(x, (shape.width,), self.n1, shape.epsilon).to(torch.bfloat16)
        q = rotate(self.q(h).view(-1, shape.heads, shape.head_width), layout.rope)
        k = rotate(self.k(h).view(-1, shape.kv_heads, shape.head_width), layout.rope)
        v = self.v(h).view(-1, shape.kv_heads, shape.head_width)
        x = x + self.o(torch.cat([self._attend_prompt(q, k, v, layout), self._attend_calls(q, k, v, layout)]))
        h = F.rms_norm(x, (shape.width,), self.n2, shape.epsilon).to(torch.bfloat16)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))

    def _attend_prompt(self, q: Tensor, k: Tensor, v: Tensor, layout: Layout) -> Tensor:
        """Ordinary causal attention over the prompt's rows."""
        group = self.shape.heads // self.shape.kv_heads
        q, k, v = (rows[: layout.prompt].transpose(0, 1)[None] for rows in (q, k, v))
        k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=True)[0].transpose(0, 1)
        return attended.reshape(layout.prompt, self.shape.heads * self.shape.head_width)

    def _attend_calls(self, q: Tensor, k: Tensor, v: Tensor, layout: Layout) -> Tensor:
        """The calls' rows attend to the prompt and, causally, to their own call; a group's heads are stacked as rows."""
        prompt, calls, length, mask = layout.prompt, layout.calls, layout.call_tokens, layout.mask
        kv_heads, width = self.shape.kv_heads, self.shape.head_width
        group, batch = self.shape.heads // kv_heads, calls * kv_heads
        q = (q[prompt:] * width**-0.5).view(calls, length, kv_heads, group, width)
        q = q.permute(0, 2, 3, 1, 4).reshape(batch, group, length, width)
        k, v = (self._with_prompt(rows, layout) for rows in (k, v))
        chunks = []
        for start in range(0, length, CHUNK_TOKENS):
            end = min(length, start + CHUNK_TOKENS)
            rows, seen = group * (end - start), prompt + end
            scores = torch.bmm(q[:, :, start:end].reshape(batch, rows, width), k[:, :seen].transpose(1, 2))
            scores = scores.view(batch, group, end - start, seen)
            weights = F.softmax(scores + mask[start:end, :seen], -1).view(batch, rows, seen)
            chunks.append(torch.bmm(weights, v[:, :seen]).view(calls, kv_heads, group, end - start, width))
        attended = torch.cat(chunks, 3).permute(0, 3, 1, 2, 4)
        return attended.reshape(calls * length, self.shape.heads * width)

    def _with_prompt(self, rows: Tensor, layout: Layout) -> Tensor:
        """Keys or values of the prompt before those of each call, (calls * kv_heads, prompt + call_tokens, head_width)."""
        kv_heads, width = self.shape.kv_heads, self.shape.head_width
        prompt = rows[: layout.prompt].transpose(0, 1)[None].expand(layout.calls, -1, -1, -1)
        own = rows[layout.prompt :].view(layout.calls, layout.call_tokens, kv_heads, width).transpose(1, 2)
        return torch.cat([prompt, own], 2).reshape(layout.calls * kv_heads, -1, width)


def rotate(x: Tensor, rope: tuple[Tensor, Tensor]) -> Tensor:
    """Rotary position embedding, halves layout."""
    cos, sin = rope
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


class Model(nn.Module):
    """The whole Llama."""

    def __init__(self, shape: Shape | None = None) -> None:
        super().__init__()
        self.shape = shape = shape or Shape()
        self.emb = nn.Parameter(
            torch.randn(shape.vocabulary, shape.width)
        )  # unit scale, so that the branches do not drown out the tokens
        self.head = nn.Parameter(torch.zeros(shape.vocabulary, shape.width))
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.Parameter(torch.ones(shape.width))
        frequencies = 1.0 / shape.theta ** (torch.arange(0, shape.head_width, 2) / shape.head_width)
        angles = torch.outer(torch.arange(MAX_TOKENS), frequencies)
        self.cos, self.sin = angles.cos().bfloat16(), angles.sin().bfloat16()

    def forward(self, prompt: Tensor, calls: Tensor, positions: Tensor) -> Tensor:
        """Hidden states (positions, width) at `positions`, which index the flattened calls (count, tokens)."""
        layout = self._layout(len(prompt), *calls.shape)
        x = F.embedding(torch.cat([prompt, calls.flatten()]), self.emb)
        for block in self.blocks:
            x = block(x, layout)
        return F.rms_norm(x[len(prompt) :][positions], (self.shape.width,), self.norm, self.shape.epsilon)

    def loss(self, prompt: Tensor, calls: Tensor, targets: Tensor) -> tuple[Tensor, int]:
        """Summed cross-entropy over the targets that are not -100, and their number."""
        positions = (targets.flatten() >= 0).nonzero().flatten()
        hidden = self(prompt, calls, positions).to(torch.bfloat16)
        logits = F.linear(hidden, self.head.to(torch.bfloat16)).float()
        return F.cross_entropy(logits, targets.flatten()[positions], reduction="sum"), len(positions)

    def _layout(self, prompt: int, calls: int, length: int) -> Layout:
        positions = torch.cat([torch.arange(prompt), torch.arange(prompt, prompt + length).repeat(calls)])
        rope = self.cos[positions][:, None], self.sin[positions][:, None]
        visible = torch.ones(length, prompt + length, dtype=torch.bool).tril(prompt)
        mask = torch.zeros(length, prompt + length, dtype=torch.bfloat16).masked_fill(~visible, float("-inf"))
        return Layout(prompt, calls, length, rope, mask)
