"""Silero VAD v6 on onnxruntime: a recurrent network over windows of 32 ms, each with the 4 ms before it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from models.errors import ModelMissing
from serving.audio import SPEECH_RATE, Pcm32
from serving.engine import VadStream
from serving.errors import EngineDied
from serving.onnx_session import open_session
from serving.speech import VoiceActivity

WINDOW_SAMPLES = 512
CONTEXT_SAMPLES = 64
"""How much of the previous window the network sees before each window."""
STATE_SHAPE = (1, 1, 128)
"""Shape of the LSTM's hidden and cell states, float32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SileroOptions:
    """Options of Silero VAD."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    file: str = "silero_vad_v6.onnx"
    """The model's file in its folder."""


class SileroVad:
    """A VadEngine. One session serves all calls; it is safe to run from several threads at once."""

    name = "silero"
    window_samples = WINDOW_SAMPLES

    def __init__(self, options: SileroOptions, model_dir: Path) -> None:
        self._path = model_dir / options.file
        self._session: Any = None

    def load(self) -> None:
        """Read the model. Raises ModelMissing or EngineLoadFailed."""
        if not self._path.is_file():
            raise ModelMissing(
                f"{self._path} is missing. Reinstall the dependencies: the file is part of faster-whisper."
            )
        self._session = open_session(self._path)

    def warm_up(self) -> None:
        """Judge a second of silence."""
        self.open().push(np.zeros(SPEECH_RATE, np.float32))

    def check(self) -> None:
        """Judge a window of silence. Raises EngineDied."""
        self.open().push(np.zeros(WINDOW_SAMPLES, np.float32))

    def close(self) -> None:
        """Drop the model."""
        self._session = None

    def open(self) -> VadStream:
        """A stream for one call. Raises EngineDied unless the engine is loaded."""
        if self._session is None:
            raise EngineDied("The voice activity model is not loaded. Load the engine before opening a stream.")
        return SileroStream(self._session)


class SileroStream:
    """Voice activity of one call: recurrent state, the end of the last window, and the samples of a window that is not full yet."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._windows = 0
        self._pending: Pcm32 = np.zeros(0, np.float32)
        self._hidden = np.zeros(STATE_SHAPE, np.float32)
        self._cell = np.zeros(STATE_SHAPE, np.float32)
        self._context = np.zeros(CONTEXT_SAMPLES, np.float32)

    def push(self, samples: Pcm32) -> list[VoiceActivity]:
        """Feed audio; returns a verdict for each window that it completed. Raises EngineDied."""
        audio = np.concatenate((self._pending, samples.astype(np.float32, copy=False)))
        count = len(audio) // WINDOW_SAMPLES
        self._pending = audio[count * WINDOW_SAMPLES :]
        if count == 0:
            return []
        probabilities = self._run(audio[: count * WINDOW_SAMPLES].reshape(count, WINDOW_SAMPLES))
        first = self._windows + 1
        self._windows += count
        return [
            VoiceActivity(float(probability), (first + index) * WINDOW_SAMPLES / SPEECH_RATE)
            for index, probability in enumerate(probabilities)
        ]

    def _run(self, windows: Pcm32) -> Pcm32:
        """Probabilities, shape (n,), of windows, shape (n, WINDOW_SAMPLES)."""
        tails = windows[:, -CONTEXT_SAMPLES:]
        contexts = np.concatenate((self._context[None], tails[:-1]))
        inputs = {"input": np.concatenate((contexts, windows), axis=1), "h": self._hidden, "c": self._cell}
        try:
            probabilities, self._hidden, self._cell = self._session.run(None, inputs)
        except Exception as error:
            raise EngineDied(f"The voice activity model failed: {error}. It will be reloaded.") from error
        self._context = tails[-1].copy()
        return np.asarray(probabilities, dtype=np.float32).reshape(-1)
