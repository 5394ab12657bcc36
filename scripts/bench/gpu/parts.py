"""Everything that a GPU machine can tell, without a network: `make bench-gpu`, or `python -m scripts.bench.gpu`.

    python -m scripts.bench.gpu                          # all parts, 25 minutes at most
    python -m scripts.bench.gpu --only stt,llm
    python -m scripts.bench.gpu --device cpu --quick     # a trial of the bench itself, where there is no GPU

The GPU suite, speech recognition, the language model, the voice, the end-of-turn model, and whole calls. Words are right with
the demo's small models; the speed of the gpu profile's models is measured on their shapes, filled with random weights.
One table in out/gpu: figures.json and figures.md. A part that fails or runs out of time is recorded, and the others go on;
parts that are run one by one with --only end up in the same table.
"""

import os

from agent.operate.offline import keep_inside

keep_inside(os.environ)

import sys  # noqa: E402 - libraries read the environment when they are imported
from collections.abc import Callable, Sequence  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from importlib import import_module  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Annotated  # noqa: E402

import typer  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.markdown import Markdown  # noqa: E402

from scripts.bench.gpu.figures import PartResult, Report, as_markdown, joined, read, write  # noqa: E402
from scripts.bench.gpu.machine import ROOT, this_machine  # noqa: E402
from scripts.bench.gpu.part import Device, Part  # noqa: E402
from scripts.bench.gpu.running import run_part  # noqa: E402
from serving.gpu.devices import list_gpus  # noqa: E402

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
console = Console(width=None if sys.stdout.isatty() else 132)


@dataclass(frozen=True, slots=True)
class Kind:
    """A part that can be chosen."""

    function: str
    """In scripts/bench/gpu, as module:function."""
    limit_s: float
    """On one GPU; together 25 minutes."""

    def load(self) -> Callable[[Part], None]:
        """Import it."""
        module, _, name = self.function.partition(":")
        measure: Callable[[Part], None] = getattr(import_module(f"scripts.bench.gpu.{module}"), name)
        return measure


PARTS = {
    "suite": Kind("suite:measure", 450.0),
    "stt": Kind("stt:measure", 190.0),
    "llm": Kind("llm:measure", 400.0),
    "tts": Kind("speech:measure_tts", 30.0),
    "turn": Kind("speech:measure_turn", 30.0),
    "v2v": Kind("v2v:measure", 190.0),
    "v2v-large": Kind("v2v:measure_paced", 210.0),
}
"""In the order in which they run."""
DEVICES: dict[str, Device] = {"cuda": "cuda", "cpu": "cpu"}
CPU_LIMIT_S = 1500.0
"""Of each part where there is no GPU: loading vLLM alone may take minutes."""


@app.command(help=__doc__)
def main(
    only: Annotated[list[str] | None, typer.Option(help=f"Parts to run: {', '.join(PARTS)}.")] = None,
    device: Annotated[str, typer.Option(help="cuda, or cpu for a trial.")] = "cuda",
    quick: Annotated[
        bool, typer.Option("--quick", help="Tiny shapes and few rounds: figures that mean nothing.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder of the table.")] = ROOT / "out" / "gpu",
    part: Annotated[str, typer.Option(hidden=True)] = "",
    lines: Annotated[Path, typer.Option(hidden=True)] = Path("lines"),
) -> None:
    """Run the parts and write the table. Status 1 if any of them did not come to its end."""
    if part:
        PARTS[part].load()(Part(part, _device(device), quick, lines, _limit_s(part, device), console))
        return
    chosen = _chosen(only or [])
    report = Report(machine=this_machine(), command=_command(), device=_device(device), quick=quick)
    console.print(report.machine.sentence, highlight=False)
    if device == "cuda" and not list_gpus():
        console.print("[red]![/red] No NVIDIA driver answers here. --device cpu --quick tries the bench without one.")
        raise typer.Exit(2)
    earlier = read(out) if only else None
    for name in chosen:
        report = report.model_copy(update={"parts": (*report.parts, _run(name, device, quick=quick))})
        write(joined(earlier, report), out)
    console.print(Markdown(as_markdown(report)))
    console.print(f"{out / 'figures.json'} and figures.md are written.", highlight=False)
    raise typer.Exit(0 if all(found.status == "done" for found in report.parts) else 1)


def _run(name: str, device: str, *, quick: bool) -> PartResult:
    limit_s = _limit_s(name, device)
    console.rule(f"{name} (at most {limit_s:.0f} s)")
    options = ["--part", name, "--device", device, *(["--quick"] if quick else [])]
    result = run_part(name, [sys.executable, "-m", "scripts.bench.gpu", *options], limit_s=limit_s)
    console.print(f"{name}: {result.status} after {result.took_s:.0f} s", highlight=False)
    return result


def _limit_s(name: str, device: str) -> float:
    return PARTS[name].limit_s if device == "cuda" else CPU_LIMIT_S


def _chosen(only: Sequence[str]) -> list[str]:
    """Named one by one or several at once, in the order in which they run."""
    wanted = " ".join(only).replace(",", " ").split()
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        raise typer.BadParameter(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    return [name for name in PARTS if not wanted or name in wanted]


def _device(name: str) -> Device:
    if name not in DEVICES:
        raise typer.BadParameter(f"device is cuda or cpu, not {name}")
    return DEVICES[name]


def _command() -> str:
    return " ".join(["python -m scripts.bench.gpu", *sys.argv[1:]])
