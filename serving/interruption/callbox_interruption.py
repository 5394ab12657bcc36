"""Callbox's interruption model: whether sound over the agent's voice wants the floor (models/demo/interruption, ONNX)."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from serving.audio import SPEECH_RATE, Pcm32
from serving.bridge import EngineThread
from serving.errors import EngineDied, EngineError, EngineLoadFailed
from serving.interruption.onset_window import LEAD_S, LONGEST_S, log_mel, onset_window
from serving.mel import MELS
from serving.onnx_session import Device, open_session
from serving.speech import Interruption

CLASSES = 3
"""Interruption, backchannel, other."""
_WARM_UP_S = (0.1, LONGEST_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallboxInterruptionOptions:
    """Options of the interruption model."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    file: str = "interruption.onnx"
    """Its file in the model's folder."""
    device: Device = "cpu"
    """Where it is computed. A judgement takes a CPU core a few milliseconds: hardly more than the way to a GPU and back."""
    threads: int = 1
    """CPU threads for one judgement."""


class CallboxInterruption:
    """The engine. One thread judges for all calls."""

    def __init__(self, options: CallboxInterruptionOptions, model_dir: Path) -> None:
        self._options = options
        self._path = model_dir / options.file
        self._session: Any = None
        self._thread: EngineThread | None = None

    @property
    def name(self) -> str:
        """Its name in the registry."""
        return "callbox-interruption"

    @property
    def window_s(self) -> float:
        """2 s: 0.4 s before the onset and up to 1.6 s of the overlap."""
        return LEAD_S + LONGEST_S

    def load(self) -> None:
        """Load the network. Raises EngineLoadFailed."""
        if not self._path.is_file():
            raise EngineLoadFailed(
                f"{self._path.name} is not in {self._path.parent}. Get it back: git checkout models/demo"
            )
        session = open_session(self._path, threads=self._options.threads, device=self._options.device)
        takes, gives = list(session.get_inputs()[0].shape), list(session.get_outputs()[0].shape)
        if takes[:2] != [1, MELS] or gives[-1:] != [CLASSES]:
            raise EngineLoadFailed(
                f"{self._path.name} makes {gives} of {takes}, not (1, {CLASSES}) of (1, {MELS}, frames). Use the shipped file."
            )
        self._session = session
        self._thread = EngineThread("interruption")

    def warm_up(self) -> None:
        """Judge the shortest and the longest overlap, in silence."""
        for overlap_s in _WARM_UP_S:
            self._judge_now(overlap_s)

    def check(self) -> None:
        """Judge a short overlap in silence. Raises EngineDied."""
        try:
            self._judge_now(_WARM_UP_S[0])
        except (EngineError, TimeoutError, RuntimeError) as error:
            raise EngineDied(f"The interruption model no longer answers ({error}). Restart the worker.") from error

    def close(self) -> None:
        """Stop the thread and forget the network."""
        if self._thread is not None:
            self._thread.close()
        self._session = None

    async def predict(self, samples: Pcm32, overlap_s: float) -> Interruption:
        """Judge audio (float32, 16 kHz, shape (n,)) that ends now; the last `overlap_s` seconds are since the sound's onset.

        Of an overlap longer than 1.6 s the last 2 s are judged. Meant for the time from 0.1 s on: before, nothing can be told.
        Raises EngineError.
        """
        asked_s = time.perf_counter()
        window = onset_window(samples, overlap_s)
        interruption, backchannel, other = await self._running().run(lambda: self._judge(window))
        return Interruption(interruption, backchannel, other, time.perf_counter() - asked_s)

    def _running(self) -> EngineThread:
        if self._thread is None or self._session is None:
            raise EngineDied("The interruption model is not loaded. Restart the worker.")
        return self._thread

    def _judge_now(self, overlap_s: float) -> None:
        window = onset_window(np.zeros(round(overlap_s * SPEECH_RATE), np.float32), overlap_s)
        self._running().submit(lambda: self._judge(window)).result(timeout=30)

    def _judge(self, window: Pcm32) -> tuple[float, float, float]:
        try:
            (found,) = self._session.run(None, {"log_mel": log_mel(window)[None]})
        except Exception as error:
            raise EngineError(f"The interruption model could not judge the audio: {error}. Check its file.") from error
        interruption, backchannel, other = (float(probability) for probability in found[0])
        return interruption, backchannel, other
