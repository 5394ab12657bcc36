"""Render turns and store what Smart Turn's network makes of each silence's sound, so that training need not compute it again.

A shard is NAME.npy (float16, the last layer's states of the last 2 s), NAME.npz (pooled states, logits) and NAME.json (a row
for each take: words, what a recogniser made of them, what was asked, ...).

    python -m scripts.train.end_of_turn.features --turn-model smart-turn.onnx --seed 41 --count 4000 --out data/train_1
"""

import argparse
import json
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from scripts.train.end_of_turn.encoder import FRAMES, INPUT, WIDTH, shortened
from scripts.train.end_of_turn.hypotheses import Recogniser
from scripts.train.end_of_turn.takes import Take, Takes
from scripts.train.turn_taking.spoken import Voice
from serving.log_mel import normalised_log_mel

STATES = 100
"""20 ms positions that the head sees: the last 2 s."""

Features = tuple[NDArray[np.float16], NDArray[np.float32], NDArray[np.float32]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Write one shard."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turn-model", type=Path, required=True, help="Smart Turn v3.2's ONNX file")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--count", type=int, required=True, help="silences")
    parser.add_argument("--voices", nargs="*", help="ENGINE:NAME, for testing; default: the training voices")
    parser.add_argument("--known", action="store_true", help="mostly phrases that the demo's recogniser knows")
    parser.add_argument(
        "--recogniser", type=Path, help="the demo's, whose words are stored too; default: only the words as said"
    )
    parser.add_argument("--out", type=Path, required=True, help="path of the shard, without a suffix")
    options = parser.parse_args(arguments)
    voices = [Voice(*name.split(":")) for name in options.voices] if options.voices else None
    takes = list(islice(iter(Takes(options.seed, voices, known=options.known)), options.count))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    found = features(options.turn_model, (take.samples for take in takes), len(takes))
    recognised = Recogniser(options.recogniser).words(takes) if options.recogniser else [None] * len(takes)
    save(takes, found, recognised, options.out)


def features(turn_model: Path, sounds: Iterable[NDArray[np.float32]], count: int) -> Features:
    """States (n, 100, 384), pooled states (n, 384) and logits (n,)."""
    session = open_encoder(turn_model)
    states = np.zeros((count, STATES, WIDTH), np.float16)
    pooled, logits = np.zeros((count, WIDTH), np.float32), np.zeros(count, np.float32)
    for number, samples in enumerate(sounds):
        one = session.run(["states", "pooled", "logit"], {INPUT: normalised_log_mel(samples, FRAMES)[None]})
        states[number], pooled[number], logits[number] = one[0][0, -STATES:], one[1][0], one[2][0, 0]
    return states, pooled, logits


def open_encoder(turn_model: Path) -> onnxruntime.InferenceSession:
    """The frozen network, on one thread."""
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    network = shortened(turn_model, ("states", "pooled", "logit")).SerializeToString()
    return onnxruntime.InferenceSession(network, sess_options=settings, providers=["CPUExecutionProvider"])


def save(takes: Sequence[Take], found: Features, recognised: Sequence[str | None], stem: Path) -> None:
    """Write the three files."""
    states, pooled, logits = found
    np.save(stem.with_suffix(".npy"), states)
    np.savez(stem.with_suffix(".npz"), pooled=pooled, logits=logits)
    rows = [
        {
            "words": take.words,
            "ended": take.ended,
            "asked": take.asked.value,
            "kind": take.kind,
            "caller": round(take.caller, 4),
            "hold_s": round(take.hold_s, 4),
            "voice": take.voice,
            "recognised": words,
        }
        for take, words in zip(takes, recognised, strict=True)
    ]
    stem.with_suffix(".json").write_text(json.dumps(rows), encoding="utf-8")
    print(f"{stem.name}: {len(takes)} silences, {np.mean([take.ended for take in takes]):.0%} of them ends", flush=True)


if __name__ == "__main__":
    main()
