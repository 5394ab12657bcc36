"""Opening ONNX networks, with small ones made by the test."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from serving.errors import EngineLoadFailed
from serving.gpu.devices import list_gpus
from serving.onnx_session import open_session

pytestmark = pytest.mark.unit


@pytest.fixture
def doubling(tmp_path: Path) -> Path:
    """A network that adds its input to itself."""
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])
    graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "doubling", [value], [result])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    path = tmp_path / "doubling.onnx"
    onnx.save(model, str(path))
    return path


def run(session: onnxruntime.InferenceSession) -> list[float]:
    """Its output for 1 and 3."""
    return list(session.run(None, {"x": np.array([1, 3], dtype=np.float32)})[0])


def test_it_runs_on_the_threads_it_was_given(doubling: Path) -> None:
    session = open_session(doubling, threads=1)
    assert run(session) == [2.0, 6.0]
    assert session.get_session_options().intra_op_num_threads == 1


def test_a_patch_changes_what_runs_and_not_the_file(doubling: Path) -> None:
    before = doubling.read_bytes()

    def square(model: onnx.ModelProto) -> None:
        model.graph.node[0].op_type = "Mul"

    assert run(open_session(doubling, patch=square)) == [1.0, 9.0]
    assert doubling.read_bytes() == before


@pytest.mark.parametrize("patch", [None, lambda model: None])
@pytest.mark.parametrize("content", [b"not a network", b""])
def test_a_broken_file_is_refused_by_name(tmp_path: Path, content: bytes, patch: object) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(EngineLoadFailed, match=r"broken\.onnx"):
        open_session(path, patch=patch)  # type: ignore[arg-type]


@pytest.mark.skipif(bool(list_gpus()), reason="this machine has a GPU")
def test_a_gpu_where_there_is_none_is_refused_in_one_sentence(doubling: Path) -> None:
    with pytest.raises(EngineLoadFailed) as refused:
        open_session(doubling, device="cuda")
    assert str(refused.value) == (
        "doubling.onnx is set to run on a GPU (device: cuda), but no NVIDIA driver answers. Set its device to cpu, or see what "
        "nvidia-smi says."
    )
