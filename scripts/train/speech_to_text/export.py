"""Checkpoint -> Hugging Face Whisper directory -> CTranslate2 int8 directory for faster-whisper.

python -m scripts.train.speech_to_text.export checkpoint.pt --tokenizer tokenizer.json --hf hf --ct2 ct2
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from ctranslate2.converters import TransformersConverter
from tokenizers import Tokenizer
from transformers import GenerationConfig, PreTrainedTokenizerFast, WhisperConfig, WhisperForConditionalGeneration

from scripts.train.speech_to_text import model as demo
from scripts.train.speech_to_text.tokenizer import TokenIds

FEATURE_EXTRACTOR = {
    "chunk_length": 30,
    "feature_extractor_type": "WhisperFeatureExtractor",
    "feature_size": 80,
    "hop_length": 160,
    "n_fft": 400,
    "n_samples": 480_000,
    "nb_max_frames": 3000,
    "padding_side": "right",
    "padding_value": 0.0,
    "processor_class": "WhisperProcessor",
    "return_attention_mask": False,
    "sampling_rate": 16_000,
}
ALIGNMENT_HEADS = [[demo.DECODER_LAYERS - 1, head] for head in range(demo.HEADS)]
"""[layer, head] pairs that give word times: the cross-attention of the last decoder layer."""
TRAINING_ONLY = ("ctc.", "phone.")


def main(arguments: Sequence[str] | None = None) -> None:
    """Write both directories."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--hf", type=Path, required=True)
    parser.add_argument("--ct2", type=Path, required=True)
    options = parser.parse_args(arguments)
    tokenizer = Tokenizer.from_file(str(options.tokenizer))
    save_hugging_face(torch.load(options.checkpoint), tokenizer, options.hf)
    converter = TransformersConverter(str(options.hf), copy_files=["tokenizer.json", "preprocessor_config.json"])
    converter.convert(str(options.ct2), quantization="int8", force=True)
    for path in sorted(options.ct2.iterdir()):
        print(f"{path.name}: {path.stat().st_size} bytes", flush=True)


def save_hugging_face(checkpoint: dict[str, torch.Tensor], tokenizer: Tokenizer, folder: Path) -> None:
    """Write the model, tokenizer and feature extractor as transformers does. Raises ValueError for weights of another model."""
    ids = TokenIds.of(tokenizer)
    special = {
        "decoder_start_token_id": ids.start,
        "bos_token_id": ids.end,
        "eos_token_id": ids.end,
        "pad_token_id": ids.end,
        "suppress_tokens": [],
        "begin_suppress_tokens": [ids.end],
    }
    whisper = WhisperForConditionalGeneration(_config(tokenizer.get_vocab_size(), special))
    weights = {f"model.{name}": w for name, w in checkpoint.items() if not name.startswith(TRAINING_ONLY)}
    missing, unexpected = whisper.load_state_dict(weights, strict=False)
    if not set(missing) <= {"proj_out.weight"} or unexpected:
        raise ValueError(f"The checkpoint does not fit this model: missing {missing}, unexpected {unexpected}.")
    whisper.tie_weights()
    whisper.generation_config = GenerationConfig(
        **special,
        no_timestamps_token_id=ids.no_timestamps,
        is_multilingual=False,
        max_length=demo.TOKENS,
        alignment_heads=ALIGNMENT_HEADS,
    )
    whisper.save_pretrained(folder)
    tokens = dict.fromkeys(("eos_token", "bos_token", "unk_token", "pad_token"), "<|endoftext|>")
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **tokens).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(FEATURE_EXTRACTOR, indent=1), encoding="utf-8")


def _config(vocabulary: int, special: dict[str, Any]) -> WhisperConfig:
    return WhisperConfig(
        vocab_size=vocabulary,
        num_mel_bins=80,
        d_model=demo.WIDTH,
        encoder_layers=demo.ENCODER_LAYERS,
        decoder_layers=demo.DECODER_LAYERS,
        encoder_attention_heads=demo.HEADS,
        decoder_attention_heads=demo.HEADS,
        encoder_ffn_dim=demo.ENCODER_FFN,
        decoder_ffn_dim=demo.DECODER_FFN,
        max_source_positions=demo.POSITIONS,
        max_target_positions=demo.TOKENS,
        **special,
    )


if __name__ == "__main__":
    main()
