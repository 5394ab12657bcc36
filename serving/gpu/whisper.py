"""The dimensions of a Whisper in CTranslate2's format, and how much GPU memory it needs."""

import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from serving.errors import EngineLoadFailed
from serving.gpu.devices import MIB

CUDA_CONTEXT_MIB = 400
"""What CTranslate2 takes just by using CUDA: its kernels and cuBLAS."""
POSITIONS_PER_S = 50
"""Encoder positions; a mel frame is 10 ms, and every second one is kept."""
TYPE_NAMES = {0: "float32", 1: "int8", 2: "int16", 4: "float16", 5: "bfloat16"}
"""CTranslate2's number formats."""
_LAYER = re.compile(r"(encoder|decoder)/layer_(\d+)/")


@dataclass(frozen=True, slots=True, kw_only=True)
class WhisperShape:
    """The dimensions that decide how much memory a Whisper takes."""

    encoder_layers: int
    decoder_layers: int
    width: int
    heads: int
    mels: int
    vocabulary: int
    saved_as: str
    """Number format of the matrices in the file."""

    @classmethod
    def from_model_dir(cls, path: Path) -> "WhisperShape":
        """Read a model in CTranslate2's format, skipping its weights. Raises EngineLoadFailed."""
        try:
            with (path / "model.bin").open("rb") as stream:
                return _shape_of({name: (shape, kind, value) for name, shape, kind, value in _variables(stream)})
        except (OSError, ValueError, KeyError, struct.error) as error:
            raise EngineLoadFailed(
                f"{path / 'model.bin'} is not a Whisper model that CTranslate2 can read ({error!r}). "
                "Run scripts/download_models.sh."
            ) from error

    @property
    def matrices(self) -> int:
        """Weights that 8-bit formats quantize: attention, feed-forward and embeddings."""
        layers = (12 * self.encoder_layers + 16 * self.decoder_layers) * self.width**2
        return layers + self.vocabulary * self.width

    @property
    def others(self) -> int:
        """Weights that keep their precision: convolutions and positions."""
        return self.width * (3 * self.mels + 3 * self.width + 1500 + 448)


def weight_bytes(compute_type: str, saved_as: str) -> tuple[int, int]:
    """Bytes per quantizable weight, and per any other number, in CTranslate2's `compute_type`."""
    if compute_type == "default":
        compute_type = saved_as
    quantized = compute_type.startswith("int8")
    # plain int8 computes the rest as it was saved: 4 bytes at most
    wide = compute_type in ("float32", "int8_float32", "int8")
    return (1 if quantized else 4 if wide else 2), 4 if wide else 2


def weights_mib(shape: WhisperShape, compute_type: str) -> int:
    """MiB of the weights on the GPU."""
    matrix, other = weight_bytes(compute_type, shape.saved_as)
    return math.ceil((shape.matrices * matrix + shape.others * other) / MIB)


def work_mib(shape: WhisperShape, compute_type: str, *, clips: int, window_s: float) -> int:
    """MiB on top of the weights for decoding that many clips at once, in windows of `window_s`. An estimate."""
    _, number = weight_bytes(compute_type, shape.saved_as)
    positions = round(window_s * POSITIONS_PER_S)
    scores = 2 * shape.heads * positions**2  # before and after the softmax
    hidden = positions * shape.width * (3 * 4 + 2 * shape.decoder_layers)
    return math.ceil(clips * (scores + hidden) * number / MIB)


Variable = tuple[tuple[int, ...], int, bytes]
"""Shape, number format, and the value of a scalar."""


def _variables(stream: BinaryIO) -> Iterator[tuple[str, tuple[int, ...], int, bytes]]:
    """Name, shape, number format and (for scalars) value of everything in a model.bin, skipping the weights."""
    (version,) = _read(stream, "I")
    if version != 6:
        raise ValueError(f"format {version}, not 6")
    if (kind := _text(stream)) != "WhisperSpec":
        raise ValueError(f"type {kind}")
    _read(stream, "I")
    for _ in range(_read(stream, "I")[0]):
        name = _text(stream)
        shape = _read(stream, f"{_read(stream, 'B')[0]}I")
        number, size = _read(stream, "<BI")
        value = stream.read(size) if not shape else b""
        if shape:
            stream.seek(size, 1)
        yield name, shape, number, value


def _read(stream: BinaryIO, layout: str) -> tuple[int, ...]:
    layout = layout if layout.startswith("<") else f"<{layout}"
    return struct.unpack(layout, stream.read(struct.calcsize(layout)))


def _text(stream: BinaryIO) -> str:
    return stream.read(_read(stream, "H")[0])[:-1].decode()


def _shape_of(variables: dict[str, Variable]) -> WhisperShape:
    layers = {(found[1], int(found[2])) for name in variables if (found := _LAYER.match(name))}
    (width, mels, _), _, _ = variables["encoder/conv1/weight"]
    (vocabulary, _), number, _ = variables["decoder/embeddings/weight"]
    return WhisperShape(
        encoder_layers=sum(part == "encoder" for part, _ in layers),
        decoder_layers=sum(part == "decoder" for part, _ in layers),
        width=width,
        heads=int.from_bytes(variables["encoder/num_heads"][2], "little"),
        mels=mels,
        vocabulary=vocabulary,
        saved_as=TYPE_NAMES[number],
    )
