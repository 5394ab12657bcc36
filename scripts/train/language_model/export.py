"""Writes a checkpoint as a Hugging Face Llama (bfloat16) and as CTranslate2 int8, with the prompts it was trained on.

python -m scripts.train.language_model.export [ckpt.pt] [out]      30 s

Writes out/llama-demo, out/llama-demo-ct2 and out/prompts, and prints whether the chat template renders the training text and both
runtimes reply the same.
"""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ctranslate2
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor

from scripts.train.language_model.compare_runtimes import compare
from scripts.train.language_model.domain import DEFAULT_FACTS
from scripts.train.language_model.language_model import MAX_NEW_TOKENS
from scripts.train.language_model.model import MAX_TOKENS, Shape
from scripts.train.language_model.prompts import (
    CHAT_TEMPLATE,
    HANDOFF_PROMPT,
    SUMMARY_PROMPT,
    TOOLS,
    front_desk_prompt,
    tools_text,
)

COPIED_FILES = ["tokenizer.json", "tokenizer_config.json", "generation_config.json"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Export and check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, nargs="?", default=Path("ckpt.pt"))
    parser.add_argument("out", type=Path, nargs="?", default=Path("out"))
    parser.add_argument("--tokenizer", type=Path, default=Path("tokenizer.json"))
    parser.add_argument("--check", type=int, default=40, help="replies to compare")
    options = parser.parse_args(arguments)
    hf_dir, ct2_dir = options.out / "llama-demo", options.out / "llama-demo-ct2"
    export_hf(options.checkpoint, options.tokenizer, hf_dir)
    write_prompts(options.out / "prompts")
    converter = ctranslate2.converters.TransformersConverter(str(hf_dir), copy_files=COPIED_FILES)
    converter.convert(str(ct2_dir), quantization="int8", force=True)
    for folder in (hf_dir, ct2_dir):
        sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
        print(folder, sizes, f"{sum(sizes.values()) / 1e6:.2f} MB", flush=True)
    compare(hf_dir, ct2_dir, options.check)


def export_hf(checkpoint: Path, tokenizer_file: Path, out: Path) -> None:
    """Weights, configuration and tokenizer in Hugging Face's layout."""
    out.mkdir(parents=True, exist_ok=True)
    save_file(hf_weights(torch.load(checkpoint)["model"]), out / "model.safetensors", metadata={"format": "pt"})
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.save(str(out / "tokenizer.json"))
    _write_json(out / "config.json", hf_config(tokenizer))
    _write_json(
        out / "generation_config.json",
        {**_special_ids(tokenizer), "do_sample": False, "max_new_tokens": MAX_NEW_TOKENS},
    )
    _write_json(
        out / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": "<|begin_of_text|>",
            "eos_token": "<|eot_id|>",
            "pad_token": "<|finetune_right_pad_id|>",
            "clean_up_tokenization_spaces": False,
            "model_max_length": MAX_TOKENS,
            "model_input_names": ["input_ids", "attention_mask"],
            "chat_template": CHAT_TEMPLATE,
        },
    )


def hf_weights(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights under Hugging Face's names, in bfloat16."""
    weights = {
        "model.embed_tokens.weight": state["emb"],
        "lm_head.weight": state["head"],
        "model.norm.weight": state["norm"],
    }
    for layer in range(Shape().layers):
        ours, theirs = f"blocks.{layer}.", f"model.layers.{layer}."
        for name in "qkvo":
            weights[f"{theirs}self_attn.{name}_proj.weight"] = state[f"{ours}{name}.weight"]
        for name in ("gate", "up", "down"):
            weights[f"{theirs}mlp.{name}_proj.weight"] = state[f"{ours}{name}.weight"]
        weights[f"{theirs}input_layernorm.weight"] = state[f"{ours}n1"]
        weights[f"{theirs}post_attention_layernorm.weight"] = state[f"{ours}n2"]
    return {name: weight.to(torch.bfloat16).contiguous() for name, weight in weights.items()}


def hf_config(tokenizer: Tokenizer) -> dict[str, Any]:
    """config.json."""
    shape = Shape()
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.width,
        "intermediate_size": shape.ffn,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "head_dim": shape.head_width,
        "hidden_act": "silu",
        "max_position_embeddings": MAX_TOKENS,
        "rms_norm_eps": shape.epsilon,
        "rope_theta": shape.theta,
        "rope_scaling": None,
        "attention_bias": False,
        "mlp_bias": False,
        "attention_dropout": 0.0,
        "tie_word_embeddings": False,
        "use_cache": True,
        "initializer_range": 0.02,
        "pretraining_tp": 1,
        "torch_dtype": "bfloat16",
        **_special_ids(tokenizer),
    }


def _special_ids(tokenizer: Tokenizer) -> dict[str, Any]:
    ids = tokenizer.token_to_id
    return {
        "bos_token_id": ids("<|begin_of_text|>"),
        "eos_token_id": [ids("<|eot_id|>"), ids("<|end_of_text|>")],
        "pad_token_id": ids("<|finetune_right_pad_id|>"),
    }


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False), encoding="utf-8")


def write_prompts(out: Path) -> None:
    """The prompts as files; front_desk_with_tools.txt is what the chat template renders for prompt and tools."""
    out.mkdir(parents=True, exist_ok=True)
    prompt = front_desk_prompt(DEFAULT_FACTS)
    files = {
        "front_desk.md": prompt,
        "summary.md": SUMMARY_PROMPT,
        "handoff.md": HANDOFF_PROMPT,
        "tools.json": json.dumps(TOOLS, indent=2),
        "front_desk_with_tools.txt": prompt + tools_text(),
    }
    for name, text in files.items():
        (out / name).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()
