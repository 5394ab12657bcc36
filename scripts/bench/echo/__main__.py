"""What is left of the agent's own voice when it comes back over the line, and what is left of a caller who speaks over it.

    python -m scripts.bench.echo
    python -m scripts.bench.echo laptop hybrid "no echo"     # these paths only
    python -m scripts.bench.echo --with none --with webrtc   # these cancellers only

The demo's Piper voice goes through simulated echo paths (paths.py, and measured rooms where they are). Alone: how much weaker
the echo became (ERLE), how often and how long the VAD still finds speech in it, and how many words the demo's recogniser still
makes of it. With a caller (the voice `rms`, 12 lines) over an agent that never stops, which is harder than a call, and over one
that stops 0.8 s after the caller began: the caller's word error rate, and how many of the caller's lines open the VAD within
500 ms. The row "silent agent" has no echo to cancel: no canceller can do better.
"""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from scripts.bench.echo.cancellers import CANCELLERS, Name
from scripts.bench.echo.compare import STARTS_S, bench
from scripts.command_line import new_app

app = new_app()


@app.command()
def main(
    paths: Annotated[list[str] | None, typer.Argument(help="names of paths; default: all")] = None,
    cancellers: Annotated[list[Name] | None, typer.Option("--with", help="default: all")] = None,
    repeats: Annotated[
        int,
        typer.Option(min=1, max=len(STARTS_S), help="how often the caller says it all, over other words of the agent"),
    ] = 1,
) -> None:
    """Measure what is left of the agent's voice, and of a caller, behind each echo canceller."""
    Console(width=160).print(asyncio.run(bench(paths or [], cancellers or list(CANCELLERS), repeats=repeats)))


if __name__ == "__main__":
    app()
