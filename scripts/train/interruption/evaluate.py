"""Measure the exported network on events by voices that were never trained on.

python -m scripts.train.interruption.evaluate interruption.onnx data/901.npz --count 400
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime

from scripts.train.interruption.mels import log_mels
from scripts.train.interruption.truth import BACKCHANNEL, FRAME_S, INTERRUPTION, OTHER
from serving.interruption.onset_window import LEAD_S

OVERLAPS_S = (0.2, 0.3, 0.4, 0.5)
NAMES = {INTERRUPTION: "interruptions", BACKCHANNEL: "backchannels", OTHER: "other"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print, by overlap and class, how many events are taken for interruptions."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("shard", type=Path, help="of events.py")
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--threshold", type=float, default=0.6)
    options = parser.parse_args(arguments)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(options.model, settings)
    stored = np.load(options.shard)
    audio, truth = stored["audio"][: options.count], stored["truth"][: options.count]
    for overlap_s in OVERLAPS_S:
        frame = round((LEAD_S + overlap_s) / FRAME_S) - 2
        votes = np.array(
            [session.run(None, {"log_mel": mel[None]})[0][0, INTERRUPTION] for mel in log_mels(audio, frame + 1)]
        )
        shares = [
            f"{name} {np.mean(votes[truth[:, frame] == label] >= options.threshold):.1%}"
            for label, name in NAMES.items()
        ]
        print(f"{overlap_s:.1f} s after the onset, taken for interruptions: {', '.join(shares)}", flush=True)


if __name__ == "__main__":
    main()
