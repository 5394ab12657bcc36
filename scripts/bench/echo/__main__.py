"""What is left of the agent's own voice when it comes back over the line, and what is left of a caller who speaks over it.

    python -m scripts.bench.echo
    python -m scripts.bench.echo laptop speakerphone     # these paths only

The demo's Piper voice goes through simulated echo paths (paths.py, and measured rooms where they are). Alone: how much weaker
the echo became (ERLE), how often and how long the VAD still finds speech in it, and how many words the demo's recogniser still
makes of it. With a caller (the voice `rms`) over an agent that never stops, which is harder than a call: the caller's word
error rate without the agent, with its echo, and behind the canceller; and how many of the caller's lines open the VAD within
500 ms.
"""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from scripts.bench.echo.compare import bench
from scripts.command_line import new_app

app = new_app()


@app.command()
def main(paths: Annotated[list[str] | None, typer.Argument(help="names of paths; default: all")] = None) -> None:
    """Measure what is left of the agent's voice, and of a caller, behind the echo canceller."""
    Console(width=160).print(asyncio.run(bench(paths or [])))


if __name__ == "__main__":
    app()
