"""Render a shard of events on a caller's line, for training and measuring.

A shard is one .npz: `audio` (n, SPAN) int16, which begins LEAD_S before the moment that the VAD may take for the onset; `truth`
(n, FRAMES) int8, the class at each of the encoder's frames, -1 where there is nothing to learn; `speakers` (n,), the voices.

    python -m scripts.train.interruption.events --seed 1 --count 4000 --agent data/agent.npz --out data/1.npz
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from scripts.train.interruption.crowd import Crowd
from scripts.train.interruption.truth import FRAMES, SPAN


def main(arguments: Sequence[str] | None = None) -> None:
    """Write one shard."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--agent", type=Path, required=True, help="what agent_talk.py wrote")
    parser.add_argument("--foreign-share", type=float, default=0.0, help="share of callers with a foreign accent")
    parser.add_argument(
        "--far-share", type=float, default=0.0, help="share of events that add talk in the room or an echo"
    )
    parser.add_argument("--held-out", action="store_true", help="voices that are never trained on")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    stored = np.load(options.agent)
    agent = np.split(stored["audio"].astype(np.float32) / 32768, stored["ends"][:-1])
    crowd = Crowd(
        options.seed,
        agent,
        foreign_share=options.foreign_share,
        far_share=options.far_share,
        held_out=options.held_out,
    )
    speakers = []
    audio, truth = np.empty((options.count, SPAN), np.int16), np.empty((options.count, FRAMES), np.int8)
    for number in range(options.count):
        samples, truth[number] = crowd.event()
        speakers.append(crowd.speaker)
        audio[number] = np.clip(samples * 32767, -32768, 32767)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez(options.out, audio=audio, truth=truth, speakers=np.array(speakers))
    print(f"{options.out.name}: {options.count} events", flush=True)


if __name__ == "__main__":
    main()
