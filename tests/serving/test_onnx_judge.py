"""What all engines with one ONNX network have in common, on a network that adds its input to itself."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper
from pydantic import TypeAdapter, ValidationError

from serving.errors import EngineDied, EngineError, EngineLoadFailed
from serving.onnx_judge import OnnxJudge, OnnxJudgeOptions, Tensors

pytestmark = pytest.mark.unit


@dataclass(frozen=True, slots=True, kw_only=True)
class DoublingOptions(OnnxJudgeOptions):
    """Options of the test's own engine."""

    file: str = "doubling.onnx"
    times: int = 1


class Doubling(OnnxJudge[list[float], float]):
    """Doubles two numbers and adds them up."""

    name = "doubling"
    title = "The doubling network"
    remedy = "Make it: test"

    def __init__(self, options: DoublingOptions, model_dir: Path) -> None:
        super().__init__(options, model_dir)
        self.judged: list[list[float]] = []

    async def predict(self, numbers: list[float]) -> float:
        """The sum."""
        return await self._ask(numbers)

    def _accept(self, session: onnxruntime.InferenceSession) -> None:
        if session.get_inputs()[0].shape != [2]:
            raise EngineLoadFailed(f"{self._path.name} does not take two numbers.")

    def _rehearsals(self) -> Sequence[list[float]]:
        return [[0.0, 1.0], [1.0, 1.0]]

    def _inputs(self, question: list[float]) -> Tensors:
        self.judged.append(question)
        return {"x": np.array(question, dtype=np.float32)}

    def _answer(self, outputs: Sequence[npt.NDArray[np.floating]]) -> float:
        return float(outputs[0].sum())


def network(path: Path, numbers: int = 2) -> None:
    """Write the network to a file."""
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [numbers])
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, [numbers])
    graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "doubling", [value], [result])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10), str(path))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Doubling]:
    """The engine, loaded."""
    network(tmp_path / "doubling.onnx")
    engine = Doubling(DoublingOptions(), tmp_path)
    engine.load()
    yield engine
    engine.close()


async def test_a_question_is_answered(engine: Doubling) -> None:
    assert await engine.predict([1.0, 3.0]) == 8.0


def test_warming_up_judges_every_rehearsal_and_a_check_the_first(engine: Doubling) -> None:
    engine.warm_up()
    engine.check()
    assert engine.judged == [[0.0, 1.0], [1.0, 1.0], [0.0, 1.0]]


async def test_what_the_network_cannot_judge_is_an_engine_error(engine: Doubling) -> None:
    with pytest.raises(EngineError, match=r"(?s)The doubling network could not judge.*models verify"):
        await engine.predict([1.0, 2.0, 3.0])
    assert await engine.predict([1.0, 3.0]) == 8.0


def test_a_check_that_fails_says_that_the_engine_died(engine: Doubling, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_rehearsals", lambda: [[1.0]])
    with pytest.raises(EngineDied, match="The doubling network no longer answers"):
        engine.check()


async def test_unless_it_is_loaded_it_says_so(tmp_path: Path) -> None:
    engine = Doubling(DoublingOptions(), tmp_path)
    with pytest.raises(EngineDied, match="not loaded"):
        await engine.predict([1.0, 3.0])
    with pytest.raises(EngineDied, match="not loaded"):
        engine.check()
    engine.close()


def test_a_missing_file_and_another_network_are_refused_by_name(tmp_path: Path) -> None:
    engine = Doubling(DoublingOptions(), tmp_path)
    with pytest.raises(EngineLoadFailed, match=r"doubling\.onnx is not in .*\. Make it: test"):
        engine.load()
    network(tmp_path / "doubling.onnx", numbers=3)
    with pytest.raises(EngineLoadFailed, match="does not take two numbers"):
        engine.load()


def test_options_of_its_own_stand_beside_those_of_all_and_unknown_ones_are_refused() -> None:
    options = TypeAdapter(DoublingOptions)
    assert options.validate_python({"threads": 2, "times": 3}) == DoublingOptions(threads=2, times=3)
    with pytest.raises(ValidationError):
        options.validate_python({"thread": 2})
