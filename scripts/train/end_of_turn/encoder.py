"""Smart Turn's network with a shorter window and its inner values as outputs: what the head is trained on and joined to.

The weights, biases and quantization ranges are as Daily published them; only the window (its last 4 s: positions 200 to 399) and
the outputs change.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from models.errors import ModelMissing

POSITIONS = 200
"""Of 20 ms each."""
FRAMES = 2 * POSITIONS
"""Of 10 ms each, in the log-mel input."""
WIDTH = 384
INPUT = "input_features"
_ALL_POSITIONS = 400
_TABLE = "inner.encoder.embed_positions.weight"
_FRAMES_OF_HEADS = "val_21"
OUTPUTS = {
    "third": "add_390",
    "states": "layer_norm_8",
    "pooled": "sum_1",
    "logit": "linear_28_DequantizeLinear_Output",
}
"""The third layer's states (batch, 200, 384); the last layer's, normalised; Smart Turn's weighted sum of these (batch, 384); its logit."""


def shortened(path: Path, outputs: tuple[str, ...]) -> onnx.ModelProto:
    """Smart Turn v3.2 with a window of 4 s and these of OUTPUTS, by those names. Raises ModelMissing."""
    model = onnx.load(path)
    graph = model.graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    made = {name for node in graph.node for name in node.output}
    if not {_TABLE, _FRAMES_OF_HEADS} <= stored.keys() or not set(OUTPUTS.values()) <= made:
        raise ModelMissing(f"{path.name} is not Smart Turn v3.2's CPU model. Get it: make turn-model")
    _keep_scores_float(graph)
    _replace(stored[_TABLE], numpy_helper.to_array(stored[_TABLE])[_ALL_POSITIONS - POSITIONS :])
    _replace(stored[_FRAMES_OF_HEADS], np.array([POSITIONS], np.int64))
    graph.input[0].type.tensor_type.shape.dim[2].dim_value = FRAMES
    del graph.output[:], graph.value_info[:]
    for name in outputs:
        graph.node.append(helper.make_node("Identity", [OUTPUTS[name]], [name]))
        graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    _prune(graph)
    return model


def _keep_scores_float(graph: onnx.GraphProto) -> None:
    """Leave attention scores in floating point before the softmax, which is slower on integers."""
    producers = {output: node for node in graph.node for output in node.output}
    for node in graph.node:
        dequantize = producers.get(node.input[0]) if node.op_type == "Softmax" else None
        if dequantize is not None and dequantize.op_type == "DequantizeLinear":
            node.input[0] = producers[dequantize.input[0]].input[0]


def _replace(tensor: onnx.TensorProto, value: np.ndarray) -> None:
    tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(value), tensor.name))


def _prune(graph: onnx.GraphProto) -> None:
    """Remove what no output needs."""
    makers = {name: node for node in graph.node for name in node.output}
    wanted, needed = [output.name for output in graph.output], set[int]()
    while wanted:
        node = makers.get(wanted.pop())
        if node is not None and id(node) not in needed:
            needed.add(id(node))
            wanted += node.input
    nodes = [node for node in graph.node if id(node) in needed]
    read = {name for node in nodes for name in node.input}
    stored = [tensor for tensor in graph.initializer if tensor.name in read]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(stored)
