"""Compare end-of-turn detectors on finished and unfinished utterances: `python -m scripts.bench_turn`.

Smart Turn v3.2 (8 s of sound, serving/turn) and LiveKit's v1-mini (1.2 s, in livekit-local-inference), each asked once after
200 ms of silence (LiveKit asks then), each at its own threshold. A false cut-off is an unfinished utterance called finished (the agent talks
over the caller); a missed end is the reverse (the caller waits for the longest endpointing delay).
"""

import argparse
import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from livekit.agents.inference.eot.languages import LOCAL_LANGUAGES
from livekit.local_inference import EOT, EOT_MAX_SAMPLES

from models.store import open_store
from scripts.turn_cases import TurnCase, real_cases, shipped_cases, synthetic_cases
from serving.audio import Pcm32, pcm16
from serving.speech import TurnContext
from serving.turn.log_mel import log_mel
from serving.turn.smart_turn import SmartTurn, SmartTurnOptions

SMART_TURN_THRESHOLD = 0.5
Detector = Callable[[Pcm32], float]
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Result:
    """A detector's answers to all cases."""

    name: str
    threshold: float
    scores: Scores
    median_cpu_ms: float


def main() -> None:
    """Print a table a group of cases."""
    parser = argparse.ArgumentParser(prog="python -m scripts.bench_turn", description=__doc__)
    parser.add_argument("--silence-s", type=float, default=0.2, help="silence after the last sound (default: 0.2)")
    silence_s: float = parser.parse_args().silence_s
    cases = [*shipped_cases(silence_s), *synthetic_cases(silence_s), *real_cases(silence_s)]
    folder, options = open_store().resolve("smart-turn"), SmartTurnOptions()
    engine = SmartTurn(options, folder)
    engine.load()
    engine.warm_up()
    detectors: list[tuple[str, float, Detector]] = [
        (
            "Smart Turn v3.2",
            SMART_TURN_THRESHOLD,
            lambda samples: asyncio.run(engine.predict(samples, TurnContext())).probability,
        ),
        ("  as published", SMART_TURN_THRESHOLD, published(folder / options.file)),
        ("v1-mini", LOCAL_LANGUAGES["en"], v1_mini()),
    ]
    results = measure(cases, detectors)
    engine.close()
    for title, groups in _tables(cases).items():
        chosen = np.array([case.group in groups for case in cases])
        _print_table(title, results, chosen, np.array([case.ended for case in cases]))


def measure(cases: Iterable[TurnCase], detectors: Iterable[tuple[str, float, Detector]]) -> list[Result]:
    """Every detector asked about every case, in turns; timed by the processor, since machines are busy."""
    chosen = list(detectors)
    scores: list[list[float]] = [[] for _ in chosen]
    cpu_ms: list[list[float]] = [[] for _ in chosen]
    for case in cases:
        for place, (_, _, detector) in enumerate(chosen):
            began = time.process_time()
            scores[place].append(detector(case.samples))
            cpu_ms[place].append((time.process_time() - began) * 1e3)
    return [
        Result(name, threshold, np.array(scores[place]), float(np.median(cpu_ms[place])))
        for place, (name, threshold, _) in enumerate(chosen)
    ]


def published(path: Path) -> Detector:
    """Smart Turn's file as it was published, on one thread."""
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), sess_options=settings)
    return lambda samples: float(session.run(None, {"input_features": log_mel(samples)[None]})[0][0, 0])


def v1_mini() -> Detector:
    """LiveKit's model through its own wheel, fed as LiveKit's detector feeds it."""
    model = EOT()
    model.predict(np.zeros(EOT_MAX_SAMPLES, dtype=np.int16))
    return lambda samples: float(model.predict(pcm16(samples[-EOT_MAX_SAMPLES:])))


def _tables(cases: Iterable[TurnCase]) -> dict[str, set[str]]:
    groups = dict.fromkeys(case.group for case in cases)
    shipped = {group for group in groups if group.startswith("shipped")}
    synthetic = {group for group in groups if not group.startswith("real")} - shipped
    return {
        "the demo's recorded callers": shipped,
        "all synthetic callers": synthetic,
        **{group: {group} for group in groups},
    }


def _print_table(
    title: str, results: Iterable[Result], chosen: npt.NDArray[np.bool_], ended: npt.NDArray[np.bool_]
) -> None:
    print(f"\n{title}: {np.sum(chosen & ended)} finished, {np.sum(chosen & ~ended)} unfinished")
    print(
        "  detector          threshold  accuracy  false cut-offs  missed ends    AUC  best accuracy (at)  CPU ms a call"
    )
    for result in results:
        scores, truth = result.scores[chosen], ended[chosen]
        verdict = scores >= result.threshold
        if truth.all():
            print(
                f"  {result.name:<18}{result.threshold:>8.2f}{np.mean(verdict):>10.1%}{'-':>16}{np.mean(~verdict):>13.1%}"
            )
            continue
        levels = np.unique(np.round(scores, 2))
        best_at = max(levels, key=lambda level: float(np.mean((scores >= level) == truth)))
        best = np.mean((scores >= best_at) == truth)
        print(
            f"  {result.name:<18}{result.threshold:>8.2f}{np.mean(verdict == truth):>10.1%}{np.mean(verdict[~truth]):>16.1%}"
            f"{np.mean(~verdict[truth]):>13.1%}{_auc(scores, truth):>7.3f}{best:>12.1%} ({best_at:.2f}){result.median_cpu_ms:>12.1f}"
        )


def _auc(scores: Scores, truth: npt.NDArray[np.bool_]) -> float:
    """Probability that a finished utterance scores higher than an unfinished one."""
    above = scores[truth][:, None] - scores[~truth][None, :]
    return float(np.mean((above > 0) + 0.5 * (above == 0)))


if __name__ == "__main__":
    main()
