"""The command line of the GPU bench."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markdown import Markdown

from scripts.bench.gpu.figures import Report, as_markdown, joined, read, write
from scripts.bench.gpu.part import Device, Part
from scripts.bench.gpu.parts import MODULE, PARTS, limit_s, run, select
from scripts.bench.machine import this_machine
from scripts.command_line import console, new_app, warn
from scripts.paths import OUT
from serving.gpu.devices import list_gpus

app = new_app()


@app.command()
def main(
    only: Annotated[list[str] | None, typer.Option(help=f"parts to run: {', '.join(PARTS)}")] = None,
    device: Annotated[Device, typer.Option(help="cuda, or cpu for a trial")] = "cuda",
    quick: Annotated[bool, typer.Option("--quick", help="tiny shapes, few rounds: figures that mean nothing")] = False,
    out: Annotated[Path, typer.Option(help="folder of the table")] = OUT / "gpu",
    part: Annotated[str, typer.Option(hidden=True)] = "",
    lines: Annotated[Path, typer.Option(hidden=True)] = Path("lines"),
) -> None:
    """Measure everything that a GPU machine can tell, without a network. Status 1 if a part did not finish."""
    if part:
        PARTS[part].load()(Part(part, device, quick, lines, limit_s(part, device), console))
        return
    try:
        chosen = select(only or [])
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    report = Report(
        machine=this_machine(),
        command=f"python -m {MODULE} {' '.join(sys.argv[1:])}".strip(),
        device=device,
        quick=quick,
    )
    console.print(report.machine.sentence, highlight=False)
    if device == "cuda" and not list_gpus():
        warn("No NVIDIA driver answers. --device cpu --quick tries the bench without one.")
        raise typer.Exit(2)
    earlier = read(out) if only else None
    for name in chosen:
        report = report.model_copy(update={"parts": (*report.parts, run(name, device, quick=quick))})
        write(joined(earlier, report), out)
    console.print(Markdown(as_markdown(report)))
    console.print(f"{out / 'figures.json'} and figures.md are written.", highlight=False)
    raise typer.Exit(0 if all(found.status == "done" for found in report.parts) else 1)
