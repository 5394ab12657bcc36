"""Muon: momentum orthogonalized by Newton-Schulz steps, for the matrices (K. Jordan, kellerjordan.github.io/posts/muon)."""

from collections.abc import Iterable

import torch
from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
STEPS = 5


class Muon:
    """One optimizer for many matrices; those of the same shape are updated together."""

    def __init__(self, parameters: Iterable[Tensor], *, weight_decay: float = 0.05, momentum: float = 0.95) -> None:
        self._groups: dict[tuple[int, ...], list[Tensor]] = {}
        for parameter in parameters:
            self._groups.setdefault(tuple(parameter.shape), []).append(parameter)
        self._buffers = {shape: torch.zeros(len(group), *shape) for shape, group in self._groups.items()}
        self._weight_decay, self._momentum = weight_decay, momentum

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move every parameter against its gradient."""
        for shape, group in self._groups.items():
            gradient = torch.stack([parameter.grad for parameter in group if parameter.grad is not None])
            buffer = self._buffers[shape]
            buffer.mul_(self._momentum).add_(gradient)
            update = orthogonalized(gradient + self._momentum * buffer)
            scale = rate * 0.2 * max(shape) ** 0.5
            for parameter, change in zip(group, update, strict=True):
                parameter.mul_(1 - rate * self._weight_decay).add_(change.float(), alpha=-scale)


def orthogonalized(matrices: Tensor) -> Tensor:
    """(count, rows, columns) in bfloat16, with all singular values near 1."""
    a, b, c = COEFFICIENTS
    x = matrices.bfloat16()
    is_tall = x.shape[1] > x.shape[2]
    if is_tall:
        x = x.transpose(1, 2)
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(STEPS):
        gram = x @ x.transpose(1, 2)
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.transpose(1, 2) if is_tall else x
