"""How soon the final transcript is ready, beside a stock faster-whisper call on the same lines in the same run.

    python -m scripts.bench.stt
    python -m scripts.bench.stt 1 8 16 --threads 2                     # 1, 8 and 16 callers at once
    python -m scripts.bench.stt --model FOLDER --window-floor-s 10     # another Whisper

Lines of the demo's callers are decoded whole, in turn by `WhisperModel.transcribe` (30 s window, beam 5, word times: its
defaults) and by the engine; then they are spoken into the engine in real time, by one caller and by several at once.
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from scripts.bench.machine import this_machine
from scripts.bench.stt.measure import measure
from scripts.bench.stt.table import table
from scripts.command_line import console, new_app
from serving.stt.whisper_options import ComputeType, FasterWhisperOptions

app = new_app()


@app.command()
def main(
    streams: Annotated[list[int] | None, typer.Argument(help="callers at once, one measurement each: 1 4")] = None,
    lines: Annotated[int, typer.Option(help="lines spoken")] = 12,
    threads: Annotated[int, typer.Option(help="CPU threads of the engine")] = 1,
    model: Annotated[Path | None, typer.Option(help="folder of a CTranslate2 Whisper; default: the demo's")] = None,
    window_floor_s: Annotated[float, typer.Option(help="shortest encoder window")] = 4.0,
    device: Annotated[Literal["cpu", "cuda"], typer.Option()] = "cpu",
    compute_type: Annotated[ComputeType, typer.Option(help="CTranslate2's; default: as saved")] = "default",
) -> None:
    """Measure how soon the final transcript is ready, beside a stock faster-whisper call."""
    options = FasterWhisperOptions(
        device=device, compute_type=compute_type, threads=threads, window_floor_s=window_floor_s
    )
    console.print(this_machine().short, highlight=False)
    figures = measure(options, streams or [1, 4], lines, model)
    console.print(table(figures), "preflight and final: from the caller's last sound", sep="\n")


if __name__ == "__main__":
    app()
