"""Whether the agent remembers what the caller heard: `python -m scripts.bench.heard`.

Real calls over a media server of their own, with the demo profile's voice. Replies are cut at random: by the session, in the
first word, after a pause, around a tool call, and by the caller's own words. The words in the chat history are compared with
those in the caller's recording, which is aligned with the reply by its sound alone.
"""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from scripts.bench.heard.bench import bench, plans, show, summary
from scripts.bench.heard.far import Distance
from scripts.bench.machine import this_machine
from scripts.caller.room import silence_media_log
from scripts.command_line import exit_on_error, new_app, run_and_exit

app = new_app()


@app.command()
def main(
    cuts: Annotated[int, typer.Option(min=5, help="replies to cut")] = 100,
    calls: Annotated[int, typer.Option(min=1, help="calls they are spread over")] = 4,
    seed: Annotated[int, typer.Option(help="seed of the random cuts")] = 0,
    delay_ms: Annotated[float, typer.Option(min=0, help="delay of every packet to and from the caller")] = 0.0,
    jitter_ms: Annotated[float, typer.Option(min=0, help="standard deviation of that delay")] = 0.0,
    lost: Annotated[float, typer.Option(min=0, max=0.5, help="share of those packets that get lost")] = 0.0,
    out: Annotated[Path, typer.Option(help="folder for the calls and the figures")] = Path("out/bench_heard"),
) -> None:
    """Compare the words the agent remembers with the words the caller heard. Status 1 if they ever differ by more than one."""
    silence_media_log()
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("heard-*"):
        old.unlink()
    distance = Distance(delay_ms / 1000, jitter_ms / 1000, lost) if delay_ms or jitter_ms or lost else None
    machine = this_machine().short
    with exit_on_error():
        judged = asyncio.run(bench(plans(cuts, calls, seed), distance, out.resolve()))
    figures = summary(judged, machine)
    show(figures)
    (out / "heard.json").write_text(json.dumps(figures, indent=1) + "\n")
    raise typer.Exit(0 if set(figures["all_errors"]) <= {0, 1} else 1)


if __name__ == "__main__":
    run_and_exit(app)
