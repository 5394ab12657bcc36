"""Smart Turn v3.2: whether a caller has finished, judged from the sound of their last 8 s (Whisper tiny's encoder, ONNX)."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from serving.audio import SPEECH_RATE, Pcm32
from serving.bridge import EngineThread
from serving.errors import EngineDied, EngineError, EngineLoadFailed
from serving.mel import MELS
from serving.onnx_session import Device, open_session
from serving.speech import EndOfTurn, TurnContext
from serving.turn.log_mel import FRAMES, WINDOW_S, log_mel

if TYPE_CHECKING:
    import onnx

_FETCH = "make turn-model"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmartTurnOptions:
    """Options of Smart Turn."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    file: str = "smart-turn-v3.2-cpu.onnx"
    """Its file in the model's folder."""
    device: Device = "cpu"
    """Where it is computed. One judgement of 8 s is faster on a CPU; a GPU wants the file ending in -gpu."""
    threads: int = 1
    """CPU threads for one judgement."""


class SmartTurn:
    """The engine. One thread judges for all calls."""

    def __init__(self, options: SmartTurnOptions, model_dir: Path) -> None:
        self._options = options
        self._path = model_dir / options.file
        self._session: Any = None
        self._thread: EngineThread | None = None

    @property
    def name(self) -> str:
        """Its name in the registry."""
        return "smart-turn"

    @property
    def window_s(self) -> float:
        """8 s."""
        return WINDOW_S

    def load(self) -> None:
        """Load the network. Raises EngineLoadFailed."""
        if not self._path.is_file():
            raise EngineLoadFailed(f"{self._path.name} is not in {self._path.parent}. Get it: {_FETCH}")
        session = open_session(
            self._path, threads=self._options.threads, device=self._options.device, patch=_keep_scores_float
        )
        shape = list(session.get_inputs()[0].shape)
        if shape[1:] != [MELS, FRAMES]:
            raise EngineLoadFailed(
                f"{self._path.name} takes {shape}, not (batch, {MELS}, {FRAMES}). Use Smart Turn v3."
            )
        self._session = session
        self._thread = EngineThread("smart-turn")

    def warm_up(self) -> None:
        """Judge a second and a full window of silence."""
        for seconds in (1.0, WINDOW_S):
            self._judge_now(seconds)

    def check(self) -> None:
        """Judge a second of silence. Raises EngineDied."""
        try:
            self._judge_now(1.0)
        except (EngineError, TimeoutError, RuntimeError) as error:
            raise EngineDied(f"Smart Turn no longer answers ({error}). Restart the worker.") from error

    def close(self) -> None:
        """Stop the thread and forget the network."""
        if self._thread is not None:
            self._thread.close()
        self._session = None

    async def predict(self, samples: Pcm32, context: TurnContext) -> EndOfTurn:
        """Judge audio (float32, 16 kHz, shape (n,)) that ends now; of more than 8 s the last 8 count. Raises EngineError.

        It knows sound only: `context` changes nothing. Meant for a pause of about 200 ms after speech: the pause belongs in the audio.
        """
        asked_s = time.perf_counter()
        recent = samples[-round(WINDOW_S * SPEECH_RATE) :].copy()
        probability = await self._running().run(lambda: self._judge(recent))
        return EndOfTurn(probability, time.perf_counter() - asked_s)

    def _running(self) -> EngineThread:
        if self._thread is None or self._session is None:
            raise EngineDied("Smart Turn is not loaded. Restart the worker.")
        return self._thread

    def _judge_now(self, seconds: float) -> None:
        silence = np.zeros(round(seconds * SPEECH_RATE), dtype=np.float32)
        self._running().submit(lambda: self._judge(silence)).result(timeout=30)

    def _judge(self, samples: Pcm32) -> float:
        try:
            # The output is called logits but has been through a sigmoid inside the graph.
            (probability,) = self._session.run(None, {"input_features": log_mel(samples)[None]})
        except Exception as error:
            raise EngineError(f"Smart Turn could not judge the audio: {error}. Check its file.") from error
        return float(probability[0, 0])


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
