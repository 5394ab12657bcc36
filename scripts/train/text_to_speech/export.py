"""Checkpoint -> Piper voice (ONNX and its JSON).

python -m scripts.train.text_to_speech.export work/checkpoint.pt --data work --out en_US-demo-low
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnx.numpy_helper
import torch
from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP

from scripts.train.text_to_speech.model import SYMBOLS, Acoustic, Voice
from scripts.train.text_to_speech.teacher import RATE
from scripts.train.text_to_speech.vocoder import BINS, FFT, HOP, Vocoder

# fmt: off
ALIAS = {
    "ɒ": "ɑ", "r": "ɹ", "ɻ": "ɹ", "ɾ": "t", "x": "k", "χ": "k", "ç": "h", "ħ": "h", "ɦ": "h", "q": "k", "c": "k",
    "ɟ": "ɡ", "g": "ɡ", "ɣ": "ɡ", "ɢ": "ɡ", "y": "u", "ʏ": "ʊ", "ʉ": "u", "ɨ": "ɪ", "ᵻ": "ɪ", "ɯ": "u", "ø": "ɜ",
    "œ": "ɜ", "ɝ": "ɜ", "ɞ": "ɜ", "ɘ": "ə", "ɵ": "ə", "ɤ": "ʌ", "ε": "ɛ", "ɶ": "æ", "ɫ": "l", "ɬ": "l", "ɭ": "l",
    "ʎ": "l", "ɲ": "n", "ɳ": "n", "ɴ": "ŋ", "ɱ": "m", "β": "v", "ʋ": "v", "ⱱ": "v", "ɸ": "f", "ʍ": "w", "ɰ": "w",
    "ɥ": "j", "ʝ": "j", "ʂ": "ʃ", "ɕ": "ʃ", "ɧ": "ʃ", "ʐ": "ʒ", "ʑ": "ʒ", "ʈ": "t", "ɖ": "d", "ɗ": "d", "ɓ": "b",
    "ɠ": "ɡ", "ʀ": "ɹ", "ʁ": "ɹ", "ɺ": "ɹ", "ɽ": "ɹ", "ʔ": "t", "ʕ": "h", "ʦ": "s", "ˑ": "ː", ":": ",", ";": ",",
    "-": " ", "(": ",", ")": ",", '"': " ", "'": "ː",
}
"""Code points that never occur in the training text borrow the vector of a similar one (all others: of ː), so that foreign names
and unusual punctuation still sound reasonable."""
# fmt: on
OPSET = 17
SMALL = 2000
"""Weights with fewer values stay float32, as do the vocoder's Fourier matrices."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Write OUT.onnx and OUT.onnx.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="folder of dataset.py")
    parser.add_argument("--pitch-range", type=float, default=1.4)
    parser.add_argument("--sharpen", type=float, default=1.08)
    parser.add_argument("--pace", type=float, default=1.0)
    parser.add_argument("--out", type=Path, required=True, help="path of the voice without suffix")
    options = parser.parse_args(arguments)
    constants = json.loads((options.data / "voice.json").read_text(encoding="utf-8"))
    voice = Voice(
        load_acoustic(options.checkpoint, options.data),
        Vocoder(constants),
        pitch_range=options.pitch_range,
        sharpen=options.sharpen,
        pace=options.pace,
    )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    path = options.out.with_name(options.out.name + ".onnx")
    export(voice.eval(), path)
    path.with_name(path.name + ".json").write_text(json.dumps(description(), ensure_ascii=False, indent=1), "utf-8")
    print(f"{path.name}: {path.stat().st_size} bytes", flush=True)


def load_acoustic(checkpoint: Path, data: Path) -> Acoustic:
    """The trained model, with borrowed vectors for code points that it never saw."""
    acoustic = Acoustic()
    acoustic.load_state_dict(torch.load(checkpoint))
    seen = set(np.unique(np.load(data / "data.npz")["ids"]).tolist())
    with torch.no_grad():
        for point, (number, *_) in DEFAULT_PHONEME_ID_MAP.items():
            if number not in seen:
                lender = DEFAULT_PHONEME_ID_MAP[ALIAS.get(point, "ː")][0]
                acoustic.emb.weight[number] = acoustic.emb.weight[lender]
    return acoustic


def export(voice: Voice, path: Path) -> None:
    """Standard ONNX operators only, large weights stored as float16."""
    example = (
        torch.tensor([[1, 0, 20, 0, 120, 0, 59, 0, 10, 0, 2]]),
        torch.tensor([11]),
        torch.tensor([0.667, 1.0, 0.8]),
    )
    with torch.no_grad():
        torch.onnx.export(
            voice,
            example,
            str(path),
            dynamo=False,
            opset_version=OPSET,
            do_constant_folding=True,
            input_names=["input", "input_lengths", "scales"],
            output_names=["output", "frames"],
            dynamic_axes={"input": {1: "phonemes"}, "output": {2: "samples"}, "frames": {2: "phonemes"}},
        )
    model = onnx.load(path)
    _halve(model.graph)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def _halve(graph: onnx.GraphProto) -> None:
    """Store the network's weights as float16 with a cast after each; onnxruntime folds the casts when it loads."""
    fourier = {2 * BINS, FFT, BINS}
    casts = []
    for weight in graph.initializer:
        large = weight.data_type == onnx.TensorProto.FLOAT and np.prod(weight.dims) > SMALL
        if not large or fourier & set(weight.dims):
            continue
        name, half = weight.name, f"{weight.name}_h"
        casts.append(onnx.helper.make_node("Cast", [half], [name], to=onnx.TensorProto.FLOAT))
        weight.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(weight).astype(np.float16), half))
    for place, cast in enumerate(casts):
        graph.node.insert(place, cast)


def description() -> dict[str, object]:
    """The voice's JSON, as Piper reads it."""
    english = {"name_native": "English", "name_english": "English", "country_english": "United States"}
    return {
        "audio": {"sample_rate": RATE, "quality": "low"},
        "espeak": {"voice": "en-us"},
        "language": {"code": "en_US", "family": "en", "region": "US", **english},
        "inference": {"noise_scale": 0.667, "length_scale": 1.0, "noise_w": 0.8},
        "phoneme_type": "espeak",
        "phoneme_map": {},
        "phoneme_id_map": DEFAULT_PHONEME_ID_MAP,
        "num_symbols": SYMBOLS,
        "num_speakers": 1,
        "speaker_id_map": {},
        "dataset": "demo",
        "piper_version": "1.8.0",
        "hop_length": HOP,
    }


if __name__ == "__main__":
    main()
