"""Judge a finished file against Smart Turn on voices that it was not trained on, with the words that a recogniser made of them.

The figures are eot-bench's (LiveKit, 2026): pauses of 0.2 to 5 s and ends are judged every 0.1 s of silence; a policy is a
threshold, the shortest and the longest delay; reported are the least mean delay with 5 and 10 % of the pauses cut off, and the
least cut-offs within 300 and 600 ms of mean delay.

    python -m scripts.train.end_of_turn.evaluate callbox-turn.onnx --turn-model smart-turn.onnx \
        --recogniser models/demo/speech_to_text --count 500
"""

import argparse
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from scripts.train.end_of_turn.encoder import FRAMES
from scripts.train.end_of_turn.heard import TIMES_S
from scripts.train.end_of_turn.hypotheses import Recogniser
from scripts.train.end_of_turn.pauses import draw_habits
from scripts.train.end_of_turn.takes import Take, Takes
from scripts.train.turn_taking.spoken import Voice
from serving.log_mel import normalised_log_mel
from serving.turn.inputs import VOCABULARY, context_inputs, known_words

HELD_OUT = ("flite:rms", "festival:ked_diphone")
GRID_DELAY_S = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
GRID_TIMEOUT_S = (1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 3.0, 3.5)
Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """Takes as a detector saw them."""

    scores: Scores
    """(takes, times)."""
    ended: NDArray[np.bool_]
    hold_s: Scores


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a row a detector and kind of words."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--turn-model", type=Path, required=True, help="Smart Turn v3.2's ONNX file")
    parser.add_argument("--recogniser", type=Path, required=True, help="the demo's, or another Whisper of CTranslate2")
    parser.add_argument("--voices", nargs="+", default=HELD_OUT, help="engine:name")
    parser.add_argument("--seed", type=int, default=91)
    parser.add_argument("--count", type=int, default=500, help="silences of each voice")
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
    """The finished file."""

    def __init__(self, path: Path) -> None:
        """Loads it."""
        self._session = _session(path)
        self._vocabulary = known_words(self._session.get_modelmeta().custom_metadata_map[VOCABULARY])

    def log_odds(self, take: Take, words: str, silence_s: float, habits_s: Sequence[float]) -> float:
        """That the turn is over."""
        inputs = context_inputs(words, take.asked, silence_s, habits_s, self._vocabulary)
        inputs["input_features"] = normalised_log_mel(take.samples, FRAMES)[None]
        return float(self._session.run(["log_odds"], inputs)[0][0])


def _session(path: Path) -> onnxruntime.InferenceSession:
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), sess_options=settings, providers=["CPUExecutionProvider"])


def judged(callbox: Callbox, takes: Sequence[Take], words: Iterable[str]) -> Judged:
    """Every take at every time; of the silence about 0.2 s are heard, as in the engine."""
    rng = random.Random(5)
    rows = []
    for take, said in zip(takes, words, strict=True):
        habits_s = draw_habits(rng, take.caller)
        rows.append(_between([callbox.log_odds(take, said, silence_s, habits_s) for silence_s in (0.1, 0.2, 0.8, 1.5)]))
    return Judged(np.array(rows), *_truth(takes))


def _between(known: Sequence[float]) -> Scores:
    """Probabilities at all times from log odds at 0.1, 0.2, 0.8 and 1.5 s: the network is linear in three bends (model.phi)."""

    def phi(times: Any) -> Scores:
        return np.stack(
            [np.ones_like(times), np.log1p(times / 0.15), np.maximum(times - 0.3, 0), np.maximum(times - 0.8, 0)], -1
        )

    weights = np.linalg.solve(phi(np.array([0.1, 0.2, 0.8, 1.5])), np.array(known))
    return np.asarray(1 / (1 + np.exp(-phi(np.array(TIMES_S)) @ weights)))


def judged_by_smart_turn(session: onnxruntime.InferenceSession, takes: Sequence[Take]) -> Judged:
    """Once, with the silence that the take has: its answer is kept."""
    heard = (
        session.run(None, {"input_features": normalised_log_mel(take.samples, 2 * FRAMES)[None]})[0][0, 0]
        for take in takes
    )
    scores = [[float(score)] * len(TIMES_S) for score in heard]
    return Judged(np.array(scores), *_truth(takes))


def unjudged(takes: Sequence[Take]) -> Judged:
    """Nothing known but the silence."""
    return Judged(np.zeros((len(takes), len(TIMES_S))), *_truth(takes))


def _truth(takes: Sequence[Take]) -> tuple[NDArray[np.bool_], Scores]:
    return np.array([take.ended for take in takes]), np.array([take.hold_s for take in takes])


def report(title: str, found: Judged) -> None:
    """One line."""
    points = sweep(found)
    delays = [min(d for d, c in points if c <= share) for share in (0.05, 0.1)]
    cuts = [min((c for d, c in points if d <= budget), default=1.0) for budget in (0.3, 0.6)]
    at = TIMES_S.index(0.2)
    figures = f"delay at 5 % {delays[0] * 1e3:4.0f} ms, at 10 % {delays[1] * 1e3:4.0f} ms; cut-offs at 300 ms {cuts[0]:5.1%}, at 600 ms {cuts[1]:5.1%}"
    print(
        f"  {title:26} {figures}; AUC at 0.2 s {auc(found.scores[:, at], found.ended):.3f}; {reliability(found)}",
        flush=True,
    )


def sweep(found: Judged) -> list[tuple[float, float]]:
    """Mean delay (s) and share of pauses cut off, of every policy of eot-bench's grid."""
    holds = ~found.ended & (found.hold_s >= 0.2) & (found.hold_s <= 5.0)
    times = np.array(TIMES_S)
    points = []
    for threshold in np.arange(0.0, 1.001, 0.01):
        over = found.scores > threshold
        first = np.where(over.any(1), times[over.argmax(1)], np.inf)
        for delay in GRID_DELAY_S:
            fire = np.maximum(first, delay)
            for timeout in GRID_TIMEOUT_S:
                ends = np.minimum(fire, timeout)
                points.append((float(ends[found.ended].mean()), float((found.hold_s > ends)[holds].mean())))
    return points


def auc(scores: Scores, truth: NDArray[np.bool_]) -> float:
    """Probability that an end scores higher than a pause; ties count half."""
    above = scores[truth][:, None] - scores[~truth][None, :]
    return float(np.mean((above > 0) + 0.5 * (above == 0)))


def reliability(found: Judged) -> str:
    """Expected calibration error over all times that the silences last, in ten bins."""
    lasting = found.ended[:, None] | (found.hold_s[:, None] > np.array(TIMES_S)[None])
    scores, truth = found.scores[lasting], np.repeat(found.ended[:, None], len(TIMES_S), 1)[lasting]
    bins = np.minimum((scores * 10).astype(int), 9)
    error = sum(
        abs(scores[bins == b].mean() - truth[bins == b].mean()) * (bins == b).mean()
        for b in range(10)
        if (bins == b).any()
    )
    return f"calibration error {error:.3f}"


if __name__ == "__main__":
    main()
