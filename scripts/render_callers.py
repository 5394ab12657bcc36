"""Render the simulated callers' lines to models/demo/callers.

    python -m scripts.render_callers            # every voice
    python -m scripts.render_callers --voice rms

Sounds that are not speech go into a folder of their own; every voice can make them.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from scripts.caller.noises import NOISES
from scripts.caller.rendering import FLITE, VOICES, speak, wanted_lines, write
from scripts.caller.voice import SOUNDS
from scripts.command_line import new_app
from scripts.paths import CALLERS

app = new_app()


@app.command()
def main(
    voice: Annotated[list[str] | None, typer.Option(help=f"of {', '.join(VOICES)}; default: all")] = None,
    out: Annotated[Path, typer.Option(help="where the voices' folders go")] = CALLERS,
) -> None:
    """Render the callers' lines and sounds."""
    for name in voice or VOICES:
        needed = "flite" if name in FLITE else "espeak-ng"
        if name not in VOICES or shutil.which(needed) is None:
            raise typer.BadParameter(f"voice {name!r} needs {needed}: apt-get install flite espeak-ng")
        with tempfile.TemporaryDirectory() as scratch:
            print(write(out / name, ((text, speak(name, text, Path(scratch))) for text in wanted_lines(name))))
    print(write(out / SOUNDS, ((text, make(np.random.default_rng(7))) for text, make in NOISES.items())))


if __name__ == "__main__":
    app()
