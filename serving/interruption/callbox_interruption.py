"""Callbox's interruption model: whether sound over the agent's voice wants the floor (models/demo/interruption, ONNX)."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serving.audio import SPEECH_RATE, Pcm32
from serving.errors import EngineLoadFailed
from serving.interruption.onset_window import LEAD_S, MAX_OVERLAP_S, onset_log_mel, onset_window
from serving.log_mel import MELS
from serving.onnx_judge import OnnxJudge, OnnxJudgeOptions, Tensors
from serving.onnx_session import Session
from serving.speech import Interruption

CLASSES = 3
"""Interruption, backchannel, other."""
_Probabilities = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallboxInterruptionOptions(OnnxJudgeOptions):
    """Options of the interruption model."""

    file: str = "interruption.onnx"


class CallboxInterruption(OnnxJudge[Pcm32, _Probabilities]):
    """The engine. A question is a window of sound around an onset."""

    name = "callbox-interruption"
    title = "The interruption model"
    remedy = "Get it back: git checkout models/demo"
    window_s = LEAD_S + MAX_OVERLAP_S
    """2 s: 0.4 s before the onset and up to 1.6 s of the overlap."""

    async def predict(self, samples: Pcm32, overlap_s: float) -> Interruption:
        """Judge audio (float32, 16 kHz, shape (n,)) that ends now; the sound began `overlap_s` seconds ago.

        Of an overlap longer than 1.6 s the last 2 s are judged. Before 0.1 s there is nothing to tell yet. Raises EngineError.
        """
        asked_s = time.perf_counter()
        interruption, backchannel, other = await self._ask(onset_window(samples, overlap_s))
        return Interruption(interruption, backchannel, other, time.perf_counter() - asked_s)

    def _accept(self, session: Session) -> None:
        takes, gives = list(session.get_inputs()[0].shape), list(session.get_outputs()[0].shape)
        if takes[:2] != [1, MELS] or gives[-1:] != [CLASSES]:
            raise EngineLoadFailed(
                f"{self._path.name} turns {takes} into {gives}, not (1, {MELS}, frames) into (1, {CLASSES}). Use the shipped file."
            )

    def _rehearsals(self) -> Sequence[Pcm32]:
        """The shortest overlap worth judging, and the longest."""
        lengths_s = (0.1, MAX_OVERLAP_S)
        return [onset_window(np.zeros(round(seconds * SPEECH_RATE), np.float32), seconds) for seconds in lengths_s]

    def _inputs(self, question: Pcm32) -> Tensors:
        return {"log_mel": onset_log_mel(question)[None]}

    def _answer(self, outputs: Sequence[npt.NDArray[np.floating]]) -> _Probabilities:
        interruption, backchannel, other = (float(probability) for probability in outputs[0][0])
        return interruption, backchannel, other
