"""Smart Turn v3.2: whether a caller has finished, judged from the sound of their last 8 s (Whisper tiny's encoder, ONNX)."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from serving.audio import SPEECH_RATE, Pcm32
from serving.errors import EngineLoadFailed
from serving.log_mel import MELS, normalised_log_mel
from serving.onnx_judge import OnnxJudge, OnnxJudgeOptions, Tensors
from serving.onnx_session import Patch, Session
from serving.speech import EndOfTurn, TurnContext

if TYPE_CHECKING:
    import onnx


WINDOW_S = 8.0
_FRAMES = 800


def _keep_scores_float(model: "onnx.ModelProto") -> None:
    """Do not round attention scores to 8 bits on their way into the softmax.

    onnxruntime's softmax over integers is several times slower than over floats: without it a judgement takes three
    quarters of the time, and the probabilities move by 0.03 on average.
    """
    producers = {output: node for node in model.graph.node for output in node.output}
    for node in model.graph.node:
        dequantize = producers.get(node.input[0]) if node.op_type == "Softmax" else None
        if dequantize is not None and dequantize.op_type == "DequantizeLinear":
            quantize = producers[dequantize.input[0]]
            node.input[0] = quantize.input[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class SmartTurnOptions(OnnxJudgeOptions):
    """Options of Smart Turn. On a GPU use the file ending in -gpu."""

    file: str = "smart-turn-v3.2-cpu.onnx"


class SmartTurn(OnnxJudge[Pcm32, float]):
    """The engine. A question is audio that ends now."""

    name = "smart-turn"
    title = "Smart Turn"
    remedy = "Get it: make turn-model"
    window_s = WINDOW_S

    async def predict(self, samples: Pcm32, context: TurnContext) -> EndOfTurn:
        """Judge audio (float32, 16 kHz, shape (n,)) that ends now; only the last 8 s count. Raises EngineError.

        It judges sound only and ignores `context`. Meant to be asked about 200 ms after the end of speech, that pause included.
        """
        asked_s = time.perf_counter()
        probability = await self._ask(samples[-round(WINDOW_S * SPEECH_RATE) :].copy())
        return EndOfTurn(probability, time.perf_counter() - asked_s)

    def _open(self, patch: Patch | None = _keep_scores_float) -> Session:
        return super()._open(patch)

    def _accept(self, session: Session) -> None:
        shape = list(session.get_inputs()[0].shape)
        if shape[1:] != [MELS, _FRAMES]:
            raise EngineLoadFailed(
                f"{self._path.name} takes {shape}, not (batch, {MELS}, {_FRAMES}). Use Smart Turn v3."
            )

    def _rehearsals(self) -> Sequence[Pcm32]:
        return [np.zeros(round(seconds * SPEECH_RATE), np.float32) for seconds in (1.0, WINDOW_S)]

    def _inputs(self, question: Pcm32) -> Tensors:
        return {"input_features": normalised_log_mel(question, _FRAMES)[None]}

    def _answer(self, outputs: Sequence[npt.NDArray[np.floating]]) -> float:
        """The output is called logits, but the graph ends in a sigmoid."""
        return float(outputs[0][0, 0])
