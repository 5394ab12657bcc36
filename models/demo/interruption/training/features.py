"""One pass of every event through the frozen layers, kept as float16.

python -m models.demo.interruption.training.features --turn-model smart-turn-v3.2-cpu.onnx --data data/1.npz --out features
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from models.demo.interruption.training.model import Body, log_mel
from models.demo.speech_to_text.training.smart_turn import encoder_weights

BATCH = 25


@torch.no_grad()
def main(arguments: Sequence[str] | None = None) -> None:
    """Write OUT/NAME.features.npy (n, FRAMES, WIDTH), NAME.speakers.npy and NAME.truth.npy for every NAME.npz."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turn-model", type=Path, required=True, help="Smart Turn's ONNX file")
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="shards of events.py")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    body = Body()
    body.start_from(encoder_weights(options.turn_model))
    options.out.mkdir(parents=True, exist_ok=True)
    for shard in options.data:
        if (options.out / f"{shard.stem}.truth.npy").exists():
            continue
        stored = np.load(shard)
        audio, truth = torch.from_numpy(stored["audio"]), stored["truth"]
        kept = [body(log_mel(part.float() / 32768)).half().numpy() for part in audio.split(BATCH)]
        np.save(options.out / f"{shard.stem}.features.npy", np.concatenate(kept))
        np.save(options.out / f"{shard.stem}.speakers.npy", stored["speakers"])
        np.save(options.out / f"{shard.stem}.truth.npy", truth)
        print(f"{shard.stem}: {len(truth)} events", flush=True)


if __name__ == "__main__":
    main()
