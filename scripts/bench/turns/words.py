"""The words that the demo's recogniser had heard when a turn's silences were judged. They are real hypotheses."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.turns.judged_words import judged_words
from models.store import open_store
from scripts.bench.stt.demo import MODEL, load_recogniser
from scripts.bench.turns.cases import LEAD_S, TurnCase
from serving.audio import SPEECH_RATE

CACHE = Path(".cache/bench_turns/words")
PREROLL_S, PREFLIGHT_S, FINAL_S = 0.3, 0.11, 0.25
"""Audio decoded before an utterance; silence after which the product decodes what may be the final transcript, and after which
the utterance ends (serving/stt/segmenter.py, plus the 50 ms that the VAD needs to see silence)."""
PARTIAL_EVERY_S = 0.25


@dataclass(frozen=True, slots=True)
class HeardPause:
    """The words heard up to one silence of a turn."""

    partial: str
    """The latest hypothesis at 0.1 s of silence, decoded while the caller was still speaking."""
    settled: str
    """From 0.2 s on, when the pause has been decoded."""


def as_said(case: TurnCase) -> tuple[HeardPause, ...]:
    """What a perfect recogniser would have heard: at 0.1 s all but the last word."""
    return tuple(HeardPause(said.rpartition(" ")[0], said) for said in case.said)


def as_judged(case: TurnCase, heard: Sequence[HeardPause]) -> tuple[HeardPause, ...]:
    """The words as the agent passes them to a model: utterances without any are marked (agent/turns/judged_words.py)."""
    recognised, passed, begin_s, found = "", "", LEAD_S, []
    for pause, words in zip(case.pauses, heard, strict=True):
        partial, settled = (text.removeprefix(recognised).strip() for text in (words.partial, words.settled))
        judged = joined([passed, judged_words(settled, pause.start_s - begin_s)])
        found.append(HeardPause(joined([passed, partial]), judged))
        if pause.length_s >= FINAL_S:
            recognised, passed, begin_s = words.settled, judged, pause.start_s + pause.length_s
    return tuple(found)


class Hearing:
    """The demo's recogniser, with its answers cached."""

    def __init__(self) -> None:
        self._engine = load_recogniser()
        self._model = hashlib.sha256((open_store().resolve(MODEL) / "model.bin").read_bytes()).hexdigest()[:8]

    def close(self) -> None:
        """Unload it."""
        self._engine.close()

    def words(self, case: TurnCase) -> tuple[HeardPause, ...]:
        """For each silence of a turn, the words heard by then."""
        path = CACHE / f"{case.digest}-{self._model}.json"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps([(heard.partial, heard.settled) for heard in self._decode(case)]))
        return tuple(HeardPause(*pair) for pair in json.loads(path.read_text()))

    def _decode(self, case: TurnCase) -> list[HeardPause]:
        rng = np.random.default_rng(int(case.digest[:8], 16))
        said, begin_s, found = "", LEAD_S - PREROLL_S, []
        for pause in case.pauses:
            partial_s = pause.start_s - rng.uniform(0.0, PARTIAL_EVERY_S)
            partial = self._recognise(case, begin_s, partial_s)
            settled = self._recognise(case, begin_s, pause.start_s + PREFLIGHT_S)
            found.append(HeardPause(joined([said, partial]), joined([said, settled])))
            if pause.length_s >= FINAL_S:
                said, begin_s = joined([said, settled]), pause.start_s + pause.length_s - PREROLL_S
                begin_s = max(begin_s, pause.start_s + PREFLIGHT_S)
        return found

    def _recognise(self, case: TurnCase, begin_s: float, end_s: float) -> str:
        clip = case.samples[round(begin_s * SPEECH_RATE) : round(end_s * SPEECH_RATE)]
        return " ".join(word.text for word in self._engine.recognise(clip))


def joined(parts: Sequence[str]) -> str:
    """The parts that are not empty, separated by spaces."""
    return " ".join(part for part in parts if part)
