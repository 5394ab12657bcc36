"""A Llama in Hugging Face's layout, converted to CTranslate2 without torch or transformers.

The result is that of ct2-transformers-converter, byte for byte, with one exception: that converter drops two numbers of
Llama 3's position scaling (CTranslate2 4.8.5), and models from Llama 3.1 on then lose the thread in longer conversations.
Here they are kept, and CTranslate2 computes what Transformers does.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2.specs import attention_spec, common_spec, transformer_spec
from tokenizers import Tokenizer

from models.errors import ConversionFailed
from scripts.convert_llama.weights import Tensor, joined, read_weights

NOT_COPIED = ("*.safetensors", "*.safetensors.index.json", "config.json")
REQUIRED = ("hidden_size", "num_attention_heads", "num_hidden_layers", "rms_norm_eps", "vocab_size")
LLAMA3 = attention_spec.RotaryScalingType.Llama3


def convert(source: Path, target: Path, quantization: str = "int8") -> None:
    """Make `target`, which appears once it is complete. Raises ConversionFailed, naming what is missing or not supported."""
    config = read_json(source / "config.json")
    check_supported(config)
    spec = empty_spec(config)
    fill(spec, read_weights(source), config)
    spec.register_vocabulary(vocabulary(source / "tokenizer.json", int(config["vocab_size"])))
    names = read_json(source / "tokenizer_config.json")
    spec.config.bos_token, spec.config.eos_token, spec.config.unk_token = (
        _token(names.get(key)) for key in ("bos_token", "eos_token", "unk_token")
    )
    spec.config.layer_norm_epsilon = config["rms_norm_eps"]
    spec.validate()
    spec.optimize(quantization=quantization)
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    spec.save(str(partial))
    for path in sorted(source.iterdir()):
        if path.is_file() and not any(path.match(pattern) for pattern in NOT_COPIED):
            shutil.copyfile(path, partial / path.name)
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)


def check_supported(config: Mapping[str, Any]) -> None:
    """Raises ConversionFailed for a model with layers that CTranslate2's Llama does not have."""
    missing = [key for key in REQUIRED if key not in config]
    if missing:
        raise ConversionFailed(
            f"config.json has no {', '.join(missing)}: it does not describe a Llama. Download the model again."
        )
    wanted: dict[str, tuple[Any, ...]] = {
        "model_type": ("llama",),
        "hidden_act": ("silu",),
        "attention_bias": (False, None),
        "mlp_bias": (False, None),
        "quantization_config": (None,),
        "head_dim": (config["hidden_size"] // config["num_attention_heads"], None),
    }
    for key, values in wanted.items():
        if config.get(key) not in values:
            raise ConversionFailed(f"config.json: {key} is {config.get(key)}; only {values[0]} can be converted.")


def empty_spec(config: Mapping[str, Any]) -> Any:
    """The model's layout in CTranslate2, without weights."""
    scaling = rope(config)
    heads, kv_heads = config["num_attention_heads"], config.get("num_key_value_heads")
    kind = scaling.get("rope_type", scaling.get("type", "default"))
    if kind not in ("default", "llama3"):
        raise ConversionFailed(f"config.json: positions scaled by '{kind}' cannot be converted, only by 'llama3'.")
    spec = transformer_spec.TransformerDecoderModelSpec.from_config(
        config["num_hidden_layers"],
        heads,
        activation=common_spec.Activation.SWISH,
        pre_norm=True,
        ffn_glu=True,
        rms_norm=True,
        rotary_dim=0,
        rotary_interleave=False,
        rotary_scaling_type=LLAMA3 if kind == "llama3" else None,
        rotary_base=scaling["rope_theta"],
        original_max_position_embeddings=scaling.get("original_max_position_embeddings", 0) if kind == "llama3" else 0,
        num_heads_kv=None if kv_heads in (None, heads) else kv_heads,
    )
    spec.decoder.scale_embeddings = False
    if kind == "llama3":
        for layer in spec.decoder.layer:
            attention = layer.self_attention
            attention.rotary_low_freq_factor = scaling["low_freq_factor"]
            attention.rotary_high_freq_factor = scaling["high_freq_factor"]
            # CTranslate2 reads it, but its specification has no field for it with this kind of scaling.
            object.__setattr__(attention, "rotary_scaling_factor", np.float32(scaling["factor"]))
    return spec


def rope(config: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of the rotary positions, from either generation of config.json; always with `rope_theta`."""
    parameters = config.get("rope_parameters") or config.get("rope_scaling") or {}
    return {"rope_theta": config.get("rope_theta", 10_000.0), **parameters}


def fill(spec: Any, weights: Mapping[str, Tensor], config: Mapping[str, Any]) -> None:
    """Put the weights in place. Raises ConversionFailed, naming a missing one."""
    decoder = spec.decoder
    try:
        decoder.embeddings.weight = weights["model.embed_tokens.weight"].variable()
        tied = config.get("tie_word_embeddings", False)
        head = "model.embed_tokens.weight" if tied else "lm_head.weight"
        decoder.projection.weight = weights[head].variable()
        decoder.layer_norm.gamma = weights["model.norm.weight"].variable()
        for number, layer in enumerate(decoder.layer):
            _fill_layer(layer, weights, f"model.layers.{number}.")
    except KeyError as error:
        raise ConversionFailed(f"The model has no weights called {error}. Download it again.") from None


def _fill_layer(layer: Any, weights: Mapping[str, Tensor], prefix: str) -> None:
    def named(name: str) -> Tensor:
        return weights[f"{prefix}{name}.weight"]

    attention, ffn = layer.self_attention, layer.ffn
    attention.layer_norm.gamma = named("input_layernorm").variable()
    attention.linear[0].weight = joined(*(named(f"self_attn.{part}_proj") for part in "qkv")).variable()
    attention.linear[1].weight = named("self_attn.o_proj").variable()
    ffn.layer_norm.gamma = named("post_attention_layernorm").variable()
    ffn.linear_0.weight = named("mlp.gate_proj").variable()
    ffn.linear_0_noact.weight = named("mlp.up_proj").variable()
    ffn.linear_1.weight = named("mlp.down_proj").variable()


def vocabulary(path: Path, size: int) -> list[str]:
    """The tokens in the order of their ids, as many as the embeddings have rows."""
    try:
        ids = Tokenizer.from_file(str(path)).get_vocab(with_added_tokens=True)
    except Exception as error:  # tokenizers raises bare Exception
        raise ConversionFailed(f"{path} cannot be read ({error}). Download the model again.") from error
    tokens = sorted(ids, key=lambda token: ids[token])
    return [*tokens, *(f"<extra_id_{number}>" for number in range(size - len(tokens)))][:size]


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object. Raises ConversionFailed."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConversionFailed(f"{path} cannot be read ({error}). Download the model again.") from None
    return content


def _token(value: Any) -> str:
    """The text of a token, which tokenizer_config.json holds as a string or in an object."""
    return str(value["content"] if isinstance(value, dict) else value or "")
