"""Tensors from safetensors files, without torch: numpy has no bfloat16, so such numbers stay as 16 bits each."""

import json
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2.specs import model_spec

from models.errors import ConversionFailed

_NUMPY: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "BF16": np.dtype("<u2")}


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor mapped from its file; nothing is read before `bits` is used."""

    kind: str
    """Number format as safetensors names it: F32, F16 or BF16."""
    bits: Any
    """The numbers; bfloat16 as uint16."""

    def variable(self) -> Any:
        """As CTranslate2's converter takes it."""
        if self.kind == "BF16":
            return BFloat16(self.bits)
        return model_spec.NumpyVariable(np.array(self.bits))


class BFloat16(model_spec.Variable):  # type: ignore[misc]  # CTranslate2 has no types
    """bfloat16 numbers as the upper halves of float32, which is what they are."""

    def __init__(self, halves: Any) -> None:
        """`halves`: an array of uint16."""
        self._halves = halves

    @property
    def shape(self) -> tuple[int, ...]:
        """Its dimensions."""
        return tuple(self._halves.shape)

    @property
    def dtype(self) -> str:
        """CTranslate2's name for the number format."""
        return "bfloat16"

    def numpy(self) -> Any:
        """As float32, exactly."""
        return (self._halves.astype(np.uint32) << 16).view(np.float32)

    def num_bytes(self) -> int:
        """Size in the model file, in bytes."""
        return int(self._halves.nbytes)

    def to_bytes(self) -> bytes:
        """The bytes of the model file."""
        return bytes(self._halves.tobytes())

    def _to(self, dtype: str) -> Any:
        return model_spec.NumpyVariable(self.numpy()).to(dtype)

    def _equal(self, other: "BFloat16") -> bool:
        return self._halves is other._halves or (
            self.shape == other.shape
            and self._halves.flat[0] == other._halves.flat[0]
            and np.array_equal(self._halves, other._halves)
        )


def joined(*tensors: Tensor) -> Tensor:
    """Several tensors concatenated along the first dimension. Raises ConversionFailed."""
    if len({tensor.kind for tensor in tensors}) != 1:
        raise ConversionFailed("The weights of one layer have different number formats.")
    return Tensor(tensors[0].kind, np.concatenate([tensor.bits for tensor in tensors]))


def read_weights(folder: Path) -> dict[str, Tensor]:
    """All tensors in the folder's safetensors files, by name. Raises ConversionFailed."""
    paths = sorted(folder.glob("*.safetensors"))
    if not paths:
        raise ConversionFailed(f"{folder} has no *.safetensors file. Download the model again.")
    return {name: tensor for path in paths for name, tensor in _tensors(path)}


def _tensors(path: Path) -> Iterator[tuple[str, Tensor]]:
    """Layout of a file: length of the header in 8 bytes, the header as JSON, the numbers."""
    try:
        with path.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            header: dict[str, Any] = json.loads(stream.read(length))
        content = np.memmap(path, np.uint8, mode="r", offset=8 + length)
        for name, entry in header.items():
            if name != "__metadata__":
                yield name, _tensor(content, name, entry)
    except (OSError, ValueError, KeyError, struct.error) as error:
        raise ConversionFailed(f"{path} cannot be read ({error}). Download the model again.") from None


def _tensor(content: Any, name: str, entry: dict[str, Any]) -> Tensor:
    kind, shape, (start, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
    if kind not in _NUMPY:
        raise ConversionFailed(f"{name} is stored as {kind}, which cannot be converted; 16 and 32 bit floats can.")
    if math.prod(shape) * _NUMPY[kind].itemsize != end - start or end > len(content):
        raise ValueError(f"{name} does not have the length that it should")
    return Tensor(kind, content[start:end].view(_NUMPY[kind]).reshape(shape))
