"""The dimensions of a Llama, read from its config.json, and the memory that follows from them."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.errors import EngineLoadFailed
from serving.gpu.devices import MIB

WEIGHT_FILES = "*.safetensors"
BYTES_OF = {"bfloat16": 2, "float16": 2, "float32": 2, "fp8": 1, "float8_e4m3fn": 1}
"""By number format; vLLM runs float32 checkpoints in 16 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LlamaShape:
    """The dimensions that decide how much memory a Llama takes."""

    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    hidden: int
    intermediate: int
    vocabulary: int
    max_positions: int
    """Longest prompt and reply together, in tokens."""
    tied: bool
    """Input and output share their embeddings."""
    linear_bytes: float
    """Bytes per weight in the layers: 2, or 1 for FP8."""
    kv_dtype_bytes: int
    """Bytes per number in the KV cache."""

    @classmethod
    def from_model_dir(cls, path: Path) -> "LlamaShape":
        """Read a model in Hugging Face's layout. Raises EngineLoadFailed if its config.json is not a Llama's."""
        try:
            return _shape_of(json.loads((path / "config.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EngineLoadFailed(
                f"{path / 'config.json'} does not describe a Llama ({error!r}). Run scripts/download_models.sh."
            ) from error


def kv_bytes_per_token(shape: LlamaShape) -> int:
    """Bytes of KV cache per token: a key and a value in every layer."""
    return 2 * shape.layers * shape.kv_heads * shape.head_dim * shape.kv_dtype_bytes


def weights_mib(shape: LlamaShape) -> int:
    """MiB of the weights; embeddings and norms stay in 16 bits whatever format the layers have."""
    attention = 2 * shape.hidden * shape.head_dim * (shape.heads + shape.kv_heads)
    per_layer = attention + 3 * shape.hidden * shape.intermediate
    embeddings = shape.vocabulary * shape.hidden * (1 if shape.tied else 2)
    norms = (2 * shape.layers + 1) * shape.hidden
    return math.ceil((shape.layers * per_layer * shape.linear_bytes + 2 * (embeddings + norms)) / MIB)


def weights_mib_in(path: Path) -> int:
    """MiB of the weight files in a model's folder. Raises EngineLoadFailed if there are none."""
    total = sum(file.stat().st_size for file in path.glob(WEIGHT_FILES))
    if not total:
        raise EngineLoadFailed(f"{path} has no weights ({WEIGHT_FILES}). Run scripts/download_models.sh.")
    return math.ceil(total / MIB)


def _shape_of(config: dict[str, Any]) -> LlamaShape:
    hidden, heads = int(config["hidden_size"]), int(config["num_attention_heads"])
    saved = str(config.get("dtype") or config.get("torch_dtype") or "bfloat16")
    quantized = config.get("quantization_config") or config.get("compression_config") or {}
    full = BYTES_OF[saved]
    return LlamaShape(
        layers=int(config["num_hidden_layers"]),
        heads=heads,
        kv_heads=int(config.get("num_key_value_heads") or heads),
        head_dim=int(config.get("head_dim") or hidden // heads),
        hidden=hidden,
        intermediate=int(config["intermediate_size"]),
        vocabulary=int(config["vocab_size"]),
        max_positions=int(config["max_position_embeddings"]),
        tied=bool(config.get("tie_word_embeddings", False)),
        linear_bytes=_bits_of_weights(quantized) / 8 if quantized else full,
        kv_dtype_bytes=1 if quantized.get("kv_cache_scheme") else full,
    )


def _bits_of_weights(quantized: dict[str, Any]) -> int:
    """Of a quantized checkpoint, in compressed-tensors' or another layout."""
    groups = list((quantized.get("config_groups") or {}).values())
    if groups:
        return int(groups[0]["weights"]["num_bits"])
    return int(quantized.get("bits") or 8)
