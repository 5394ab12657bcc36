"""Callbox's own end-of-turn network: sound, words, what was asked and the caller's own pauses, judged together (ONNX).

Its sound half is Smart Turn v3.2's network with a window of 4 s; models/demo/end_of_turn says how the rest was trained.
"""

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from serving.audio import SPEECH_RATE, Pcm32
from serving.bridge import EngineThread
from serving.errors import EngineDied, EngineError, EngineLoadFailed
from serving.onnx_session import Device, open_session
from serving.speech import EndOfTurn, TurnContext
from serving.turn.inputs import LONGEST_SILENCE_S, VOCABULARY, context_inputs, known_words
from serving.turn.log_mel import log_mel

SOUND_S = 4.0
HEARD_SILENCE_S = 0.2
"""So much of the silence is listened to. How long it has lasted is a number of its own; the rest of it tells nothing."""

_FRAMES = 400
_VERIFY = "python -m models verify"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallboxTurnOptions:
    """Options of Callbox's end-of-turn network."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    file: str = "callbox-turn.onnx"
    """Its file in the model's folder."""
    device: Device = "cpu"
    """Where it is computed. One judgement is faster on a CPU."""
    threads: int = 1
    """CPU threads for one judgement."""
    smart_turn_share: float = 0.0
    """How much of Smart Turn's own verdict on the sound (a logit) is added to the logarithm of the odds. It was trained on people's
    voices, which it judges well, and says nothing about synthesizers', with which the rest was trained."""


class CallboxTurn:
    """The engine. One thread judges for all calls."""

    def __init__(self, options: CallboxTurnOptions, model_dir: Path) -> None:
        self._options = options
        self._path = model_dir / options.file
        self._session: Any = None
        self._thread: EngineThread | None = None
        self._vocabulary: dict[str, int] = {}

    @property
    def name(self) -> str:
        """Its name in the registry."""
        return "callbox-turn"

    @property
    def window_s(self) -> float:
        """4 s of speech, and the longest silence that it tells from a longer one."""
        return SOUND_S + LONGEST_SILENCE_S

    def load(self) -> None:
        """Load the network. Raises EngineLoadFailed."""
        if not self._path.is_file():
            raise EngineLoadFailed(f"{self._path.name} is not in {self._path.parent}. It is part of Callbox: {_VERIFY}")
        session = open_session(self._path, threads=self._options.threads, device=self._options.device)
        words = session.get_modelmeta().custom_metadata_map.get(VOCABULARY)
        if words is None:
            raise EngineLoadFailed(f"{self._path.name} does not say which words it knows. Check it: {_VERIFY}")
        self._vocabulary = known_words(words)
        self._session = session
        self._thread = EngineThread("callbox-turn")

    def warm_up(self) -> None:
        """Judge a second and a full window of silence."""
        for seconds in (1.0, self.window_s):
            self._judge_now(seconds)

    def check(self) -> None:
        """Judge a second of silence. Raises EngineDied."""
        try:
            self._judge_now(1.0)
        except (EngineError, TimeoutError, RuntimeError) as error:
            raise EngineDied(f"The end-of-turn network no longer answers ({error}). Restart the worker.") from error

    def close(self) -> None:
        """Stop the thread and forget the network."""
        if self._thread is not None:
            self._thread.close()
        self._session = None

    async def predict(self, samples: Pcm32, context: TurnContext) -> EndOfTurn:
        """Judge audio (float32, 16 kHz, shape (n,)) that ends now; the last 4 s before `context.silence_s` and 0.2 s of that
        silence count. Raises EngineError.

        The probability that the turn is over, given that the caller has been silent for so long: for the same sound, words and
        habits it never falls as the silence grows.
        """
        asked_s = time.perf_counter()
        heard = _heard(samples, context.silence_s).copy()
        probability = await self._running().run(lambda: self._judge(heard, context))
        return EndOfTurn(probability, time.perf_counter() - asked_s)

    def _running(self) -> EngineThread:
        if self._thread is None or self._session is None:
            raise EngineDied("The end-of-turn network is not loaded. Restart the worker.")
        return self._thread

    def _judge_now(self, seconds: float) -> None:
        silence = np.zeros(round(seconds * SPEECH_RATE), dtype=np.float32)
        self._running().submit(lambda: self._judge(silence, TurnContext())).result(timeout=30)

    def _judge(self, samples: Pcm32, context: TurnContext) -> float:
        inputs = context_inputs(
            context.words, context.asked.value, context.silence_s, context.pauses_s, self._vocabulary
        )
        inputs["input_features"] = log_mel(samples, _FRAMES)[None]
        try:
            log_odds, heard = self._session.run(["log_odds", "heard"], inputs)
        except Exception as error:
            raise EngineError(f"The end of the turn could not be judged: {error}. Check the file: {_VERIFY}") from error
        odds = float(log_odds[0]) + self._options.smart_turn_share * float(heard[0])
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, odds))))


def _heard(samples: Pcm32, silence_s: float) -> Pcm32:
    """The last 4 s that end 0.2 s into the silence."""
    unheard = round(max(0.0, min(silence_s, LONGEST_SILENCE_S) - HEARD_SILENCE_S) * SPEECH_RATE)
    until_there = samples[: max(len(samples) - unheard, 0)]
    return until_there[-round(SOUND_S * SPEECH_RATE) :]
