"""A Llama of a few thousand random weights as Hugging Face lays it out, and what it computes, written out in numpy."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import TensorSpec, serialize_file

DEMO = Path(__file__).parents[3] / "models" / "demo" / "language_model"
LLAMA3 = {
    "rope_type": "llama3",
    "factor": 32.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
"""As in Llama 3.2, for a shorter original context, so that a short test reaches past it."""

WIDTH, HEADS, KV_HEADS, FFN, LAYERS, VOCABULARY = 64, 4, 2, 96, 2, 2048
HEAD_WIDTH = WIDTH // HEADS
EPSILON, THETA = 1e-5, 500_000.0


def config_of(**changes: Any) -> dict[str, Any]:
    """config.json."""
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": VOCABULARY,
        "hidden_size": WIDTH,
        "intermediate_size": FFN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS,
        "head_dim": HEAD_WIDTH,
        "hidden_act": "silu",
        "max_position_embeddings": 4096,
        "rms_norm_eps": EPSILON,
        "rope_theta": THETA,
        "rope_scaling": None,
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
    }
    return {**config, **changes}


def random_weights(*, tied: bool = False) -> dict[str, Any]:
    """float32 weights by Hugging Face's names, each of which bfloat16 holds exactly."""
    source = np.random.RandomState(5)

    def normal(*shape: int, scale: float = 0.2, around: float = 0.0) -> Any:
        values = (source.standard_normal(shape) * scale + around).astype(np.float32)
        return (values.view(np.uint32) & 0xFFFF0000).view(np.float32)

    weights = {
        "model.embed_tokens.weight": normal(VOCABULARY, WIDTH, scale=1.0),
        "model.norm.weight": normal(WIDTH, around=1.0),
    }
    if not tied:
        weights["lm_head.weight"] = normal(VOCABULARY, WIDTH)
    for number in range(LAYERS):
        prefix = f"model.layers.{number}."
        for name, rows in (("q", WIDTH), ("k", KV_HEADS * HEAD_WIDTH), ("v", KV_HEADS * HEAD_WIDTH), ("o", WIDTH)):
            weights[f"{prefix}self_attn.{name}_proj.weight"] = normal(rows, WIDTH)
        weights[f"{prefix}mlp.gate_proj.weight"] = normal(FFN, WIDTH)
        weights[f"{prefix}mlp.up_proj.weight"] = normal(FFN, WIDTH)
        weights[f"{prefix}mlp.down_proj.weight"] = normal(WIDTH, FFN)
        for name in ("input_layernorm", "post_attention_layernorm"):
            weights[f"{prefix}{name}.weight"] = normal(WIDTH, around=1.0)
    return weights


def write(folder: Path, config: Mapping[str, Any], weights: Mapping[str, Any], kind: str = "bfloat16") -> Path:
    """The folder, with the demo's tokenizer."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config))
    for name in ("tokenizer.json", "tokenizer_config.json", "generation_config.json"):
        shutil.copyfile(DEMO / "hf" / name, folder / name)
    stored = {name: _stored(values, kind) for name, values in weights.items()}
    specs = {
        name: TensorSpec(dtype=kind, shape=values.shape, data_ptr=values.ctypes.data, data_len=values.nbytes)
        for name, values in stored.items()
    }
    serialize_file(specs, str(folder / "model.safetensors"), {"format": "pt"})
    return folder


def _stored(values: Any, kind: str) -> Any:
    """As the file has them; numpy has no bfloat16."""
    return (values.view(np.uint32) >> 16).astype(np.uint16) if kind == "bfloat16" else values.astype(kind)


def logits(weights: Mapping[str, Any], ids: list[int], scaling: Mapping[str, Any] | None) -> Any:
    """What the model says after each token, shape (tokens, vocabulary): the Llama of the paper, step by step."""
    hidden = weights["model.embed_tokens.weight"][ids]
    angles = np.outer(np.arange(len(ids)), _frequencies(scaling))
    cos, sin = np.cos(angles)[:, None, :], np.sin(angles)[:, None, :]
    future = np.triu(np.full((len(ids), len(ids)), -np.inf), 1)
    for number in range(LAYERS):
        its = {name.split(".", 3)[3]: values for name, values in weights.items() if f"layers.{number}." in name}
        normed = _norm(hidden, its["input_layernorm.weight"])
        queries, keys, values = (
            (normed @ its[f"self_attn.{part}_proj.weight"].T).reshape(len(ids), -1, HEAD_WIDTH) for part in "qkv"
        )
        queries, keys = _turned(queries, cos, sin), _turned(keys, cos, sin)
        keys, values = (part.repeat(HEADS // KV_HEADS, axis=1) for part in (keys, values))
        scores = np.einsum("qhd,khd->hqk", queries, keys) / np.sqrt(HEAD_WIDTH) + future
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        mixed = np.einsum("hqk,khd->qhd", shares, values).reshape(len(ids), WIDTH)
        hidden = hidden + mixed @ its["self_attn.o_proj.weight"].T
        normed = _norm(hidden, its["post_attention_layernorm.weight"])
        gate = normed @ its["mlp.gate_proj.weight"].T
        hidden = (
            hidden
            + (gate / (1 + np.exp(-gate)) * (normed @ its["mlp.up_proj.weight"].T)) @ its["mlp.down_proj.weight"].T
        )
    head = weights.get("lm_head.weight", weights["model.embed_tokens.weight"])
    return _norm(hidden, weights["model.norm.weight"]) @ head.T


def _frequencies(scaling: Mapping[str, Any] | None) -> Any:
    """Radians a position for each pair of a head's numbers; Llama 3's scaling slows the slow ones down."""
    plain = THETA ** (-np.arange(0, HEAD_WIDTH, 2) / HEAD_WIDTH)
    if scaling is None:
        return plain
    turns = scaling["original_max_position_embeddings"] * plain / (2 * np.pi)
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    share = np.clip((turns - low) / (high - low), 0, 1)
    return share * plain + (1 - share) * plain / scaling["factor"]


def _turned(heads: Any, cos: Any, sin: Any) -> Any:
    first, second = np.split(heads, 2, axis=-1)
    return np.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)


def _norm(hidden: Any, gain: Any) -> Any:
    return hidden / np.sqrt((hidden**2).mean(-1, keepdims=True) + EPSILON) * gain
