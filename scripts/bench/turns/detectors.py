"""End-of-turn detectors, asked as each silence goes on: they get the turn's sound so far and what else is known."""

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import CallboxError
from models.store import open_store
from scripts.bench.turns.cases import TurnCase
from scripts.bench.turns.metrics import SCORE_EVERY_S
from scripts.bench.turns.words import HeardPause
from serving.audio import SPEECH_RATE, Pcm32, pcm16
from serving.engine import TurnEngine
from serving.registry import find
from serving.speech import Asked, TurnContext

CACHE = Path(".cache/bench_turns/scores")
OURS_AS_SAID = "Callbox, words as said"
OURS, SMART_TURN, V1_MINI, SILENCE = "Callbox", "Smart Turn v3.2", "LiveKit v1-mini", "silence only"
Judge = Callable[[Pcm32, TurnContext], float]


@dataclass(slots=True)
class Detector:
    """A detector and its earlier answers, cached by question and by the detector's version."""

    name: str
    version: str
    judge: Judge
    close: Callable[[], object] = lambda: None
    _is_new: bool = False
    _kept: dict[str, list[list[float]]] = field(default_factory=dict)
    """By digest of a turn: the scores of each silence, and last the CPU milliseconds of the judgements."""

    def __post_init__(self) -> None:
        if self._path.is_file():
            self._kept = json.loads(self._path.read_text())

    @property
    def _path(self) -> Path:
        return CACHE / f"{hashlib.sha256(f'{self.name}|{self.version}'.encode()).hexdigest()[:16]}.json"

    def score(self, case: TurnCase, heard: Sequence[HeardPause]) -> tuple[list[tuple[float, ...]], list[float]]:
        """Scores of each silence of a turn after 0.1, 0.2 ... s, and CPU milliseconds of each judgement."""
        key = hashlib.sha256(f"{case.digest}|{heard}".encode()).hexdigest()[:24]
        if key not in self._kept:
            self._kept[key], self._is_new = self._score(case, heard), True
        *scores, cpu_ms = self._kept[key]
        return [tuple(silence) for silence in scores], cpu_ms

    def keep(self) -> None:
        """Write the answers to the cache, if there are new ones."""
        if not self._is_new:
            return
        CACHE.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self._kept))
        self._is_new = False

    def _score(self, case: TurnCase, heard: Sequence[HeardPause]) -> list[list[float]]:
        found, cpu_ms, pauses_s = list[list[float]](), list[float](), list(case.habits_s)
        for pause, words in zip(case.pauses, heard, strict=True):
            found.append([])
            for number in range(1, int(pause.judged_s / SCORE_EVERY_S + 1e-6) + 1):
                silence_s = number * SCORE_EVERY_S
                said = words.partial if number == 1 else words.settled
                context = TurnContext(said, case.asked, silence_s, tuple(pauses_s))
                began = time.process_time()
                found[-1].append(self.judge(case.samples[: round((pause.start_s + silence_s) * SPEECH_RATE)], context))
                cpu_ms.append((time.process_time() - began) * 1e3)
            pauses_s.append(pause.length_s)
        return [*found, cpu_ms]


def detectors() -> list[Detector]:
    """Every detector whose model is here, ours first; the others are named and left out."""
    found = []
    for name, engine, model in ((OURS, "callbox-turn", "callbox-turn"), (SMART_TURN, "smart-turn", "smart-turn")):
        try:
            found.append(_engine(name, engine, model))
        except CallboxError as error:
            print(f"{name} is left out: {error}")
    return [*found, _v1_mini(), Detector(SILENCE, "1", lambda samples, context: 0.5)]


def _engine(name: str, engine_name: str, model: str) -> Detector:
    engine_class, options_class = find("turn", engine_name).load()
    folder = open_store().resolve(model)
    engine: Any = engine_class(options_class(), folder)
    engine.load()
    engine.warm_up()
    turn_engine: TurnEngine = engine

    def judge(samples: Pcm32, context: TurnContext) -> float:
        return asyncio.run(turn_engine.predict(samples, context)).probability

    weights = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()))
    return Detector(name, f"{weights.hexdigest()[:16]} {_probe(judge)}", judge, engine.close)


def _probe(judge: Judge) -> str:
    """A detector's answers to four questions: if they change, so does its version."""
    sound = np.random.default_rng(0).normal(0.0, 0.1, 6 * SPEECH_RATE).astype(np.float32)
    sound *= np.abs(np.sin(np.arange(len(sound)) / 2000)).astype(np.float32)
    sound[-round(0.3 * SPEECH_RATE) :] *= 0.01
    contexts = (TurnContext(), TurnContext("my number is four", Asked.DIGITS, 0.3, (0.9, 0.4)))
    answers = [judge(sound[-seconds * SPEECH_RATE :], context) for seconds in (2, 6) for context in contexts]
    return " ".join(f"{answer:.3f}" for answer in answers)


def _v1_mini() -> Detector:
    """LiveKit's model through its own wheel, fed as LiveKit's detector feeds it: the last 1.2 s."""
    from importlib.metadata import version

    from livekit.local_inference import EOT, EOT_MAX_SAMPLES

    model = EOT()
    model.predict(np.zeros(EOT_MAX_SAMPLES, dtype=np.int16))
    return Detector(
        V1_MINI,
        version("livekit-local-inference"),
        lambda samples, context: float(model.predict(pcm16(samples[-EOT_MAX_SAMPLES:]))),
    )
