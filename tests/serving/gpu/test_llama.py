"""The measures of a Llama, and what follows from them."""

import json
from pathlib import Path
from typing import Any

import pytest

from models.store import open_store
from serving.errors import EngineLoadFailed
from serving.gpu.llama import LlamaShape, kv_bytes_per_token, weights_mib, weights_mib_in
from tests.serving.gpu.cards import BF16, FP8

pytestmark = pytest.mark.unit

LLAMA_8B = {
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "max_position_embeddings": 131072,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
}
"""As meta-llama/Llama-3.1-8B-Instruct has it."""
FP8_DYNAMIC = {
    "config_groups": {"group_0": {"weights": {"num_bits": 8, "type": "float"}}},
    "kv_cache_scheme": None,
    "quant_method": "compressed-tensors",
}
"""As RedHatAI's FP8-dynamic has it."""


def shape_of(folder: Path, **changes: Any) -> LlamaShape:
    """What is read from a config.json with these changes; None takes a key out."""
    config = {name: value for name, value in {**LLAMA_8B, **changes}.items() if value is not None}
    (folder / "config.json").write_text(json.dumps(config))
    return LlamaShape.from_model_dir(folder)


def test_the_known_dimensions_are_those_of_the_models_configs(tmp_path: Path) -> None:
    assert shape_of(tmp_path) == BF16
    assert shape_of(tmp_path, quantization_config=FP8_DYNAMIC) == FP8


def test_newer_configs_name_the_number_format_otherwise(tmp_path: Path) -> None:
    assert shape_of(tmp_path, torch_dtype=None, dtype="bfloat16") == BF16


def test_a_cache_in_8_bits_takes_half(tmp_path: Path) -> None:
    quantized = {**FP8_DYNAMIC, "kv_cache_scheme": {"num_bits": 8, "type": "float"}}
    assert kv_bytes_per_token(shape_of(tmp_path, quantization_config=quantized)) == kv_bytes_per_token(FP8) // 2


def test_models_without_grouped_heads_have_as_many_of_each(tmp_path: Path) -> None:
    assert shape_of(tmp_path, num_key_value_heads=None).kv_heads == 32


def test_a_token_of_llama_8b_takes_an_eighth_of_a_mib() -> None:
    assert kv_bytes_per_token(BF16) == kv_bytes_per_token(FP8) == 131_072


def test_the_weights_are_as_large_as_the_published_files() -> None:
    assert weights_mib(BF16) == 15_317  # 4976698672 + 4999802720 + 4915916176 + 1168138808 bytes
    assert weights_mib(FP8) == pytest.approx(9_084_000_000 / 2**20, rel=0.005)


def test_the_shipped_model_is_measured_right() -> None:
    folder = open_store().resolve("demo-llm-hf")
    shape = LlamaShape.from_model_dir(folder)
    assert (shape.layers, shape.kv_heads, shape.head_dim, shape.vocabulary) == (6, 2, 64, 2048)
    assert weights_mib(shape) == weights_mib_in(folder) == 11


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"hidden_size": "wide"}', '{"torch_dtype": "int3"}'])
def test_a_file_that_is_not_a_llama_is_rejected_by_name(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(EngineLoadFailed, match=r"config\.json does not describe a Llama"):
        LlamaShape.from_model_dir(tmp_path)


def test_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineLoadFailed, match=r"config\.json"):
        LlamaShape.from_model_dir(tmp_path)
    with pytest.raises(EngineLoadFailed, match="has no weights"):
        weights_mib_in(tmp_path)
