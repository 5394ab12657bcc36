"""Run every event once through the frozen layers and keep the result as float16; half get another vocal tract length.

Three shards in four are cut short (SHORT_FRAMES), since that is where calls are decided.

python -m scripts.train.interruption.features --turn-model smart-turn-v3.2-cpu.onnx --data data/1.npz --out features
"""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from scripts.train.interruption.mels import log_mels
from scripts.train.interruption.model import Body
from scripts.train.interruption.truth import FRAMES
from scripts.train.speech_to_text.smart_turn import encoder_weights
from serving.interruption.onset_window import FLOOR
from serving.log_mel import MEL_FILTERS

BATCH = 25
SILENCE = (math.log10(FLOOR) + 4) / 4
"""The lowest value of a log-mel spectrum."""
SHORT_FRAMES = 60
"""Length of a short shard's events: 0.8 s of the overlap."""
TRACTS = np.linspace(0.86, 1.16, 13)
"""Factors by which another vocal tract moves the resonances."""
TILT = 0.1
"""Largest tilt and bend of a spectrum, in the features' unit of 40 dB: 4 dB."""


def tract_matrices() -> torch.Tensor:
    """(len(TRACTS), 80, 80): matrices that move a log-mel spectrum's bands to other frequencies."""
    centres = (MEL_FILTERS * np.arange(MEL_FILTERS.shape[1])).sum(1) / MEL_FILTERS.sum(1)
    moved = np.zeros((len(TRACTS), len(centres), len(centres)), np.float32)
    for matrix, factor in zip(moved, TRACTS, strict=True):
        place = np.interp(centres / factor, centres, np.arange(len(centres)))
        lower = np.minimum(place.astype(int), len(centres) - 2)
        matrix[np.arange(len(centres)), lower] = 1 - (place - lower)
        matrix[np.arange(len(centres)), lower + 1] = place - lower
    return torch.from_numpy(moved)


def varied(mel: torch.Tensor, matrices: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """A batch (n, 80, frames), half of it with another vocal tract length, and every spectrum bent a little."""
    count, bands = mel.shape[:2]
    which = np.where(rng.random(count) < 0.5, rng.integers(len(TRACTS), size=count), len(TRACTS) // 2)
    across = np.linspace(-1, 1, bands, dtype=np.float32)
    bend = rng.uniform(-TILT, TILT, (count, 2)).astype(np.float32)
    curve = bend[:, :1] * across + bend[:, 1:] * (across**2 - 0.5)
    return (matrices[which] @ mel + torch.from_numpy(curve)[..., None]).clamp(min=SILENCE)


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
    matrices = tract_matrices()
    for number, shard in enumerate(options.data):
        if (options.out / f"{shard.stem}.truth.npy").exists():
            continue
        stored = np.load(shard)
        frames, rng = SHORT_FRAMES if number % 4 else FRAMES, np.random.default_rng(number)
        audio, truth = stored["audio"], stored["truth"][:, :frames]
        kept = []
        for start in range(0, len(audio), BATCH):
            mel = varied(torch.from_numpy(log_mels(audio[start : start + BATCH], frames)), matrices, rng)
            with torch.autocast("cpu", torch.bfloat16):
                kept.append(body(mel).half().numpy())
        np.save(options.out / f"{shard.stem}.features.npy", np.concatenate(kept))
        np.save(options.out / f"{shard.stem}.speakers.npy", stored["speakers"])
        np.save(options.out / f"{shard.stem}.truth.npy", truth)
        print(f"{shard.stem}: {len(truth)} events", flush=True)


if __name__ == "__main__":
    main()
