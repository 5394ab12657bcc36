"""Everything that a GPU machine can tell, without a network: `make bench-gpu`, or `python -m scripts.bench.gpu`.

    python -m scripts.bench.gpu                          # all parts, 25 minutes at most
    python -m scripts.bench.gpu --only stt,llm
    python -m scripts.bench.gpu --device cpu --quick     # tries the bench itself, without a GPU

The GPU suite, speech recognition, the language model, the voice, the end-of-turn model, and whole calls. Words come from the
demo's small models; the speed of the gpu profile's models is measured on their shapes, filled with random weights. One table
in out/gpu: figures.json and figures.md. A part that fails or runs out of time is recorded, and the others go on; parts run
one by one with --only end up in the same table.
"""

import os

from agent.operate.offline import force_offline

force_offline(os.environ)  # libraries read the environment when they are imported

from scripts.bench.gpu.command import app  # noqa: E402
from scripts.command_line import run_and_exit  # noqa: E402

if __name__ == "__main__":
    run_and_exit(app)
