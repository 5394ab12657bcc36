"""Smart Turn v3.2's audio encoder as plain float tensors.

Smart Turn (Daily, BSD-2-Clause) is OpenAI's Whisper tiny encoder (MIT), fine-tuned to hear the end of a turn; its int8 ONNX file
is the model `smart-turn` in the store. Its third layer still tells phones apart (75 % of the frames of an unseen voice, with a
linear classifier fitted on two minutes of speech), so the demo's recogniser starts from it.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

PREFIX = "inner.encoder."
WIDTH = 384


def encoder_weights(model: Path) -> dict[str, torch.Tensor]:
    """Weights, named as in transformers' Whisper encoder, without the positions, which are plain sinusoids."""
    graph = Graph(onnx.load(model).graph)
    found = graph.vectors()
    keys = 0
    for node in graph.nodes:
        weight = graph.quantized_weight(node)
        if weight is None:
            continue
        if node.op_type == "Conv":
            name = weight.removeprefix(PREFIX).replace(".weight_quantized", "")
            found[f"{name}.weight"] = graph.dequantized(node.input[1])
            found[f"{name}.bias"] = graph.dequantized(node.input[2])
        elif node.op_type == "MatMul":
            bias = graph.bias_after(node.output[0])
            if bias:
                name = bias.removeprefix(PREFIX).replace(".bias", ".weight")
            elif graph.stored[weight].shape == (WIDTH, WIDTH):  # the keys' projection has no bias to be named by
                name, keys = f"layers.{keys}.self_attn.k_proj.weight", keys + 1
            else:
                continue
            found[name] = graph.dequantized(node.input[1]).T
    return {name: torch.from_numpy(np.array(value, np.float32, order="C")) for name, value in found.items()}


class Graph:
    """Just enough of an ONNX graph to undo its quantization."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        """Indexes which node makes each value and which read it."""
        self.nodes = list(graph.node)
        self.stored: Mapping[str, NDArray[np.generic]] = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
        self._made_by = {name: node for node in self.nodes for name in node.output}
        self._readers: dict[str, list[onnx.NodeProto]] = {}
        for node in self.nodes:
            for name in node.input:
                self._readers.setdefault(name, []).append(node)

    def vectors(self) -> dict[str, NDArray[np.generic]]:
        """The encoder's weights that were left in floating point: biases and layer norms."""
        return {
            name.removeprefix(PREFIX): value
            for name, value in self.stored.items()
            if name.startswith(PREFIX) and value.ndim == 1
            if "quantized" not in name and name.endswith((".weight", ".bias"))
        }

    def quantized_weight(self, node: onnx.NodeProto) -> str | None:
        """Name of the stored integers behind the node's second input."""
        source = self._made_by.get(node.input[1]) if len(node.input) > 1 else None
        if source is None or source.op_type != "DequantizeLinear" or source.input[0] not in self.stored:
            return None
        return source.input[0]

    def dequantized(self, name: str) -> NDArray[np.float32]:
        """(integers - zero point) * scale, per tensor or per channel."""
        node = self._made_by[name]
        values, scale, zero = (self.stored[source].astype(np.float32) for source in node.input[:3])
        if scale.ndim:
            shape = [1] * values.ndim
            shape[next(attribute.i for attribute in node.attribute if attribute.name == "axis")] = -1
            scale, zero = scale.reshape(shape), zero.reshape(shape)
        return (values - zero) * scale

    def bias_after(self, name: str) -> str | None:
        """Name of the bias that is added to a product, looking through quantize and dequantize pairs; None if there is none."""
        for _ in range(4):
            readers = self._readers.get(name, [])
            for node in readers:
                biases = [source for source in node.input if source.startswith(PREFIX)]
                if node.op_type == "Add" and biases:
                    return biases[0]
            if len(readers) != 1 or readers[0].op_type == "Add":
                return None
            name = readers[0].output[0]
        return None
