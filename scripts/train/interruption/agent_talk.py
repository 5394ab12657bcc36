"""Render sentences in the agent's Piper voice, to be used as echoes.

This runs in a process of its own: Piper bundles an espeak-ng that cannot be loaded beside the one that callers' voices use.

    python -m scripts.train.interruption.agent_talk --voice demo.onnx --count 400 --out data/agent.npz
"""

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from piper import PiperVoice

from scripts.train.sentences.callers import Callers


def main(arguments: Sequence[str] | None = None) -> None:
    """Write one .npz: `audio`, int16 at 16 kHz, all sentences in a row, and `ends`, where each one ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voice", type=Path, required=True, help="a Piper ONNX file at 16 kHz")
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    voice, callers = PiperVoice.load(options.voice), Callers(random.Random(5))
    said = [
        np.concatenate([chunk.audio_int16_array for chunk in voice.synthesize(callers.sentence() + ".")])
        for _ in range(options.count)
    ]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez(options.out, audio=np.concatenate(said), ends=np.cumsum([len(samples) for samples in said]))
    print(f"{options.out.name}: {options.count} sentences", flush=True)


if __name__ == "__main__":
    main()
