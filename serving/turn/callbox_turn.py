"""Callbox's own end-of-turn network: sound, words, what was asked and the caller's own pauses, judged together (ONNX).

Its sound half is Smart Turn v3.2's network with a window of 4 s; models/demo/end_of_turn says how the rest was trained.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from serving.audio import SPEECH_RATE, Pcm32
from serving.errors import EngineLoadFailed
from serving.log_mel import normalised_log_mel
from serving.onnx_judge import OnnxJudge, OnnxJudgeOptions, Tensors
from serving.onnx_session import VERIFY, Session
from serving.speech import EndOfTurn, TurnContext
from serving.turn.inputs import MAX_SILENCE_S, VOCABULARY, context_inputs, known_words

SOUND_S = 4.0
HEARD_SILENCE_S = 0.2
"""How much of the silence it listens to. The length of the silence is an input of its own; the rest of its sound tells nothing."""
_FRAMES = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class CallboxTurnOptions(OnnxJudgeOptions):
    """Options of Callbox's end-of-turn network."""

    file: str = "callbox-turn.onnx"
    smart_turn_share: float = 0.0
    """How much of Smart Turn's own verdict on the sound (a logit) is added to the log odds. It was trained on people's voices,
    which it judges well, and says nothing about synthesizers', with which the rest was trained."""


class CallboxTurn(OnnxJudge[tuple[Pcm32, TurnContext], float]):
    """The engine. A question is the sound it listens to, with its context."""

    name = "callbox-turn"
    title = "The end-of-turn network"
    remedy = f"It is part of Callbox: {VERIFY}"
    outputs = ("log_odds", "heard")
    window_s = SOUND_S + MAX_SILENCE_S
    """4 s of speech, and the longest silence that makes a difference."""

    def __init__(self, options: CallboxTurnOptions, model_dir: Path) -> None:
        super().__init__(options, model_dir)
        self._smart_turn_share = options.smart_turn_share
        self._vocabulary: dict[str, int] = {}

    async def predict(self, samples: Pcm32, context: TurnContext) -> EndOfTurn:
        """Judge audio (float32, 16 kHz, shape (n,)) that ends now; the last 4 s before `context.silence_s` and 0.2 s of that
        silence count. Raises EngineError.

        The probability that the turn is over, given that the caller has been silent for so long: for the same sound, words and
        habits it never falls as the silence grows.
        """
        asked_s = time.perf_counter()
        probability = await self._ask((_heard(samples, context.silence_s).copy(), context))
        return EndOfTurn(probability, time.perf_counter() - asked_s)

    def _accept(self, session: Session) -> None:
        words = session.get_modelmeta().custom_metadata_map.get(VOCABULARY)
        if words is None:
            raise EngineLoadFailed(f"{self._path.name} does not say which words it knows. Check it: {VERIFY}")
        self._vocabulary = known_words(words)

    def _rehearsals(self) -> Sequence[tuple[Pcm32, TurnContext]]:
        lengths_s = (1.0, self.window_s)
        return [(np.zeros(round(seconds * SPEECH_RATE), np.float32), TurnContext()) for seconds in lengths_s]

    def _inputs(self, question: tuple[Pcm32, TurnContext]) -> Tensors:
        samples, context = question
        beside = context_inputs(context.words, context.asked, context.silence_s, context.pauses_s, self._vocabulary)
        return {**beside, "input_features": normalised_log_mel(samples, _FRAMES)[None]}

    def _answer(self, outputs: Sequence[npt.NDArray[np.floating]]) -> float:
        log_odds, heard = outputs
        odds = float(log_odds[0]) + self._smart_turn_share * float(heard[0])
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, odds))))


def _heard(samples: Pcm32, silence_s: float) -> Pcm32:
    """The last 4 s that end 0.2 s into the silence."""
    unheard = round(max(0.0, min(silence_s, MAX_SILENCE_S) - HEARD_SILENCE_S) * SPEECH_RATE)
    until_there = samples[: max(len(samples) - unheard, 0)]
    return until_there[-round(SOUND_S * SPEECH_RATE) :]
