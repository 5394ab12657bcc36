"""Join the encoder and the heads and write the network as ONNX with 8-bit weights.

python -m scripts.train.interruption.export head_1.pt head_2.pt --turn-model smart-turn-v3.2-cpu.onnx --out interruption.onnx
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnx.numpy_helper
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from scripts.train.interruption.model import Body, Head, Network
from scripts.train.speech_to_text.smart_turn import encoder_weights

OPSET = 17
SMALL = 4096
"""Weights with no more elements than this are not worth halving."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Write OUT."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("heads", type=Path, nargs="+", help="what train.py wrote; they are averaged")
    parser.add_argument("--turn-model", type=Path, required=True, help="Smart Turn's ONNX file")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    body, heads = Body(), [Head() for _ in options.heads]
    body.start_from(encoder_weights(options.turn_model))
    for head, path in zip(heads, options.heads, strict=True):
        head.load_state_dict(torch.load(path))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    export(Network(body, heads).eval(), options.out)
    print(f"{options.out.name}: {options.out.stat().st_size} bytes", flush=True)


def export(network: Network, path: Path) -> None:
    """Input `log_mel` (1, 80, frames), output `probabilities` (1, 3)."""
    whole = path.with_suffix(".float.onnx")
    with torch.no_grad():
        torch.onnx.export(
            network,
            (torch.zeros(1, 80, 198),),
            str(whole),
            dynamo=False,
            opset_version=OPSET,
            do_constant_folding=True,
            input_names=["log_mel"],
            output_names=["probabilities"],
            dynamic_axes={"log_mel": {2: "frames"}},
        )
    quantize_dynamic(
        whole,
        path,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["MatMul", "Gemm"],
        extra_options={"MatMulConstBOnly": True},
        per_channel=True,
    )
    model = onnx.load(path)
    _halve(model.graph)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def _halve(graph: onnx.GraphProto) -> None:
    """Store the remaining large float weights (convolutions, the recurrent layer) as float16 with a cast after each.

    onnxruntime folds the casts when it loads the file.
    """
    casts = []
    for weight in graph.initializer:
        if weight.data_type == onnx.TensorProto.FLOAT and np.prod(weight.dims) > SMALL:
            name, weight.name = weight.name, f"{weight.name}_half"
            stored = onnx.numpy_helper.to_array(weight).astype(np.float16)
            casts.append(onnx.helper.make_node("Cast", [weight.name], [name], to=onnx.TensorProto.FLOAT))
            weight.CopyFrom(onnx.numpy_helper.from_array(stored, weight.name))
    for cast in reversed(casts):
        graph.node.insert(0, cast)


if __name__ == "__main__":
    main()
