"""A folder that describes a Llama of any size without weights: vLLM fills them with random numbers (dummy_weights)."""

import json
import shutil
from pathlib import Path
from typing import Any

from scripts.paths import DEMO
from serving.gpu.llama import LlamaShape

TOKENIZER = DEMO / "language_model" / "hf"
"""The demo's: 2,048 tokens. Any other token of a random model has no text."""
LLAMA_31_POSITIONS = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}
FP8_DYNAMIC: dict[str, Any] = {
    "quant_method": "compressed-tensors",
    "format": "float-quantized",
    "quantization_status": "compressed",
    "ignore": ["lm_head"],
    "kv_cache_scheme": None,
    "config_groups": {
        "group_0": {
            "targets": ["Linear"],
            "weights": {"num_bits": 8, "type": "float", "strategy": "channel", "symmetric": True, "dynamic": False},
            "input_activations": {
                "num_bits": 8,
                "type": "float",
                "strategy": "token",
                "symmetric": True,
                "dynamic": True,
            },
        }
    },
}
"""Weights in 8 bits per channel, activations scaled per token on the fly: as llama-3.1-8b-instruct-fp8 in models/manifest.yaml."""


def write_llama(shape: LlamaShape, folder: Path) -> Path:
    """Write config.json and the demo's tokenizer; FP8 if the shape has one byte per weight. Returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(llama_config(shape), indent=1))
    for name in ("tokenizer.json", "generation_config.json"):
        shutil.copyfile(TOKENIZER / name, folder / name)
    names = json.loads((TOKENIZER / "tokenizer_config.json").read_text(encoding="utf-8"))
    names["model_max_length"] = shape.max_positions
    (folder / "tokenizer_config.json").write_text(json.dumps(names))
    return folder


def llama_config(shape: LlamaShape) -> dict[str, Any]:
    """The config.json of a Llama 3.1 of this shape."""
    config: dict[str, Any] = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.hidden,
        "intermediate_size": shape.intermediate,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "head_dim": shape.head_dim,
        "hidden_act": "silu",
        "max_position_embeddings": shape.max_positions,
        "rms_norm_eps": 1e-05,
        "rope_theta": 500_000.0,
        "rope_scaling": LLAMA_31_POSITIONS,
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": shape.tied,
        "torch_dtype": "bfloat16",
    }
    return config if shape.linear_bytes > 1 else {**config, "quantization_config": FP8_DYNAMIC}
