"""Compare a finished model with Smart Turn on voices that it was not trained on, with a recogniser's words.

It reports the smallest mean delay at which 5 and 10 % of the pauses are cut off, and the fewest cut-offs within 300 and 600 ms
of mean delay (figures.py).

    python -m scripts.train.end_of_turn.evaluate callbox-turn.onnx --turn-model smart-turn.onnx \
        --recogniser models/demo/speech_to_text --count 500
"""

import argparse
import random
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from scripts.train.end_of_turn.encoder import FRAMES
from scripts.train.end_of_turn.figures import Judged, Scores, report
from scripts.train.end_of_turn.heard import TIMES_S
from scripts.train.end_of_turn.hypotheses import Recogniser
from scripts.train.end_of_turn.pauses import draw_habits
from scripts.train.end_of_turn.takes import Take, Takes
from scripts.train.turn_taking.spoken import Voice
from serving.log_mel import normalised_log_mel
from serving.turn.inputs import VOCABULARY, context_inputs, known_words

HELD_OUT = ("flite:rms", "festival:ked_diphone")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a row for each detector and source of words."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--turn-model", type=Path, required=True, help="Smart Turn v3.2's ONNX file")
    parser.add_argument(
        "--recogniser", type=Path, required=True, help="folder of the demo's, or of another CTranslate2 Whisper"
    )
    parser.add_argument("--voices", nargs="+", default=HELD_OUT, help="engine:name")
    parser.add_argument("--seed", type=int, default=91)
    parser.add_argument("--count", type=int, default=500, help="silences per voice")
    options = parser.parse_args(arguments)
    callbox, smart_turn = Callbox(options.model), _session(options.turn_model)
    recogniser = Recogniser(options.recogniser)
    for name in options.voices:
        engine, _, voice = name.partition(":")
        takes = list(islice(iter(Takes(options.seed, [Voice(engine, voice)])), options.count))
        print(f"{name}: {len(takes)} silences, {np.mean([take.ended for take in takes]):.0%} ends", flush=True)
        words = [heard or "" for heard in recogniser.words(takes)]
        report("ours, recogniser's words", judged(callbox, takes, words))
        report("ours, words as said", judged(callbox, takes, [take.words for take in takes]))
        report("ours, no words", judged(callbox, takes, [""] * len(takes)))
        report("Smart Turn v3.2", judged_by_smart_turn(smart_turn, takes))
        report("silence alone", unjudged(takes))


class Callbox:
    """The finished model."""

    def __init__(self, path: Path) -> None:
        """Loads it."""
        self._session = _session(path)
        self._vocabulary = known_words(self._session.get_modelmeta().custom_metadata_map[VOCABULARY])

    def log_odds(self, take: Take, words: str, silence_s: float, habits_s: Sequence[float]) -> float:
        """Log odds that the turn is over."""
        inputs = context_inputs(words, take.asked, silence_s, habits_s, self._vocabulary)
        inputs["input_features"] = normalised_log_mel(take.samples, FRAMES)[None]
        return float(self._session.run(["log_odds"], inputs)[0][0])


def _session(path: Path) -> onnxruntime.InferenceSession:
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), sess_options=settings, providers=["CPUExecutionProvider"])


def judged(callbox: Callbox, takes: Sequence[Take], words: Iterable[str]) -> Judged:
    """Every take at every time; about 0.2 s of the silence is heard, as in the engine."""
    rng = random.Random(5)
    rows = []
    for take, said in zip(takes, words, strict=True):
        habits_s = draw_habits(rng, take.caller)
        rows.append(_between([callbox.log_odds(take, said, silence_s, habits_s) for silence_s in (0.1, 0.2, 0.8, 1.5)]))
    return Judged(np.array(rows), *_truth(takes))


def _between(known: Sequence[float]) -> Scores:
    """Probabilities at all times from log odds at 0.1, 0.2, 0.8 and 1.5 s: the network is linear in model.phi."""

    def phi(times: Any) -> Scores:
        return np.stack(
            [np.ones_like(times), np.log1p(times / 0.15), np.maximum(times - 0.3, 0), np.maximum(times - 0.8, 0)], -1
        )

    weights = np.linalg.solve(phi(np.array([0.1, 0.2, 0.8, 1.5])), np.array(known))
    return np.asarray(1 / (1 + np.exp(-phi(np.array(TIMES_S)) @ weights)))


def judged_by_smart_turn(session: onnxruntime.InferenceSession, takes: Sequence[Take]) -> Judged:
    """Once per take, with the silence that it has; the answer stands for all times."""
    heard = (
        session.run(None, {"input_features": normalised_log_mel(take.samples, 2 * FRAMES)[None]})[0][0, 0]
        for take in takes
    )
    scores = [[float(score)] * len(TIMES_S) for score in heard]
    return Judged(np.array(scores), *_truth(takes))


def unjudged(takes: Sequence[Take]) -> Judged:
    """By the silence alone."""
    return Judged(np.zeros((len(takes), len(TIMES_S))), *_truth(takes))


def _truth(takes: Sequence[Take]) -> tuple[NDArray[np.bool_], Scores]:
    return np.array([take.ended for take in takes]), np.array([take.hold_s for take in takes])


if __name__ == "__main__":
    main()
