"""Writes a working copy circuit into the weights of a new model, instead of waiting for training to find one.

With ordinary initial weights the model had not learnt to copy names and facts after 700 steps. Dimensions of the residual
stream: 0 is a constant; PREVIOUS is a code of the previous token; PRESENT is a code of this token (fixed random numbers in the
embedding); COPIED is a code of the token to copy, read by the output layer; OLDER is a code of the token before the previous one.
Heads 0 and 1 of layer 0 look one and two tokens back and write PREVIOUS and OLDER. Head 0 of layer 2 looks for earlier positions
whose PREVIOUS equals the current PRESENT and writes their PRESENT to COPIED. Heads 0 and 2 of the last layers also write codes to
COPIED and only have to learn where to look.

All of it is ordinary Llama weights. The addressing part is kept fixed (`CopyCircuit.restore` after every step: left free,
it was destroyed within 50 steps); everything else is trained as usual.
"""

import torch
from torch import Tensor

from scripts.train.language_model.model import Block, Model

CODE = 32
"""Dimensions per code."""

PREVIOUS = slice(1, CODE + 1)
PRESENT = slice(CODE + 1, 2 * CODE + 1)
COPIED = slice(2 * CODE + 1, 3 * CODE + 1)
OLDER = slice(3 * CODE + 1, 3 * CODE + 17)
RESERVED = OLDER.stop
"""Number of dimensions with a fixed meaning."""

FIRST_FREE_LAYER = 3
"""From this layer on, COPIED may be written or cancelled."""

QUIET = 0.1
CONSTANT = 4.0
LOOK_BACK_GAIN = 6.0
MATCH = 18.0
COPY = 3.0
READY = 1.0
LOGIT = 0.15
FAST_ANGLES = 12
"""Rotary pairs that tell neighbouring tokens apart."""

EVERYTHING = slice(None)


class CopyCircuit:
    """The circuit in one model, parts of which stay fixed."""

    @torch.no_grad()
    def __init__(self, model: Model) -> None:
        """Writes the circuit. The codes are random: the same seed gives the same ones."""
        shape = model.shape
        self._head, self._half = shape.head_width, shape.head_width // 2
        self._angles = 1.0 / shape.theta ** (torch.arange(self._half) / self._half)
        self._codes = torch.arange(CODE)
        self._fixed: list[tuple[Tensor, slice, slice]] = []
        self._write_embedding(model)
        for number, block in enumerate(model.blocks):
            self._clear_writes(block, number)
        self._write_look_back(model.blocks[0], shape.width)
        self._write_match(model.blocks[2])
        for block, heads in ((model.blocks[0], 2), (model.blocks[2], 1)):
            self._fixed.append((block.q.weight, slice(0, heads * self._head), EVERYTHING))
            self._fixed.append((block.k.weight, slice(0, self._head), EVERYTHING))
            self._fixed.append((block.v.weight, slice(0, CODE), EVERYTHING))
        for block in model.blocks[FIRST_FREE_LAYER:]:
            self._write_ready_heads(block)
        self._values = [parameter[rows, columns].clone() for parameter, rows, columns in self._fixed]

    @torch.no_grad()
    def restore(self) -> None:
        """Undo what an optimizer step did to the fixed part."""
        for (parameter, rows, columns), value in zip(self._fixed, self._values, strict=True):
            parameter[rows, columns] = value

    def _write_embedding(self, model: Model) -> None:
        for block in model.blocks:  # the branches start out quiet
            block.o.weight *= QUIET
            block.down.weight *= QUIET
        model.emb[:, 0] = CONSTANT
        model.emb[:, PREVIOUS] = 0
        model.emb[:, COPIED.start : RESERVED] = 0
        model.head[:, COPIED] = LOGIT * model.emb[:, PRESENT]
        self._fixed.append((model.emb, EVERYTHING, slice(0, RESERVED)))

    def _clear_writes(self, block: Block, number: int) -> None:
        end = RESERVED if number < FIRST_FREE_LAYER else COPIED.start
        for weight in (block.o.weight, block.down.weight):
            for rows in (slice(0, COPIED.start), OLDER, slice(0, end)):
                weight[rows] = 0
            self._fixed.append((weight, slice(0, end), EVERYTHING))
            self._fixed.append((weight, OLDER, EVERYTHING))

    def _write_look_back(self, block: Block, width: int) -> None:
        """Heads whose rotary phases peak one and two tokens back."""
        head, half, codes = self._head, self._half, self._codes
        fast = torch.arange(FAST_ANGLES)
        constant = CONSTANT / (1 + CONSTANT**2 / width) ** 0.5
        gain = (LOOK_BACK_GAIN * head**0.5 / 0.83) ** 0.5 / constant
        block.q.weight[: 2 * head] = 0
        block.k.weight[:head] = 0
        block.k.weight[fast, 0] = gain
        block.v.weight[:CODE] = 0
        block.v.weight[codes, PRESENT.start + codes] = 1.0
        for number, back in ((0, 1), (1, 2)):
            phase = back * self._angles[fast]
            block.q.weight[number * head + fast, 0] = gain * phase.cos()
            block.q.weight[number * head + fast + half, 0] = -gain * phase.sin()
        block.o.weight[PREVIOUS.start + codes, codes] = 1.0
        block.o.weight[OLDER, head : head + CODE] = torch.linalg.qr(torch.randn(CODE, 16))[0].T

    def _write_match(self, block: Block) -> None:
        """A head that finds what followed an earlier occurrence; its slow rotations match content, not position."""
        head, half, codes = self._head, self._half, self._codes
        quarter = CODE // 2
        slow = torch.cat([torch.arange(half - quarter, half), torch.arange(2 * half - quarter, 2 * half)])
        block.q.weight[:head] = 0
        block.k.weight[:head] = 0
        block.q.weight[slow, PRESENT.start + codes] = MATCH**0.5
        block.k.weight[slow, PREVIOUS.start + codes] = MATCH**0.5
        block.v.weight[:CODE] = 0
        block.v.weight[codes, PRESENT.start + codes] = 1.0
        block.o.weight[COPIED.start + codes, codes] = COPY

    def _write_ready_heads(self, block: Block) -> None:
        head, codes = self._head, self._codes
        for number in (0, 1):
            block.v.weight[number * head + codes] = 0
            block.v.weight[number * head + codes, PRESENT.start + codes] = 1.0
            block.o.weight[COPIED.start + codes, 2 * number * head + codes] = READY
