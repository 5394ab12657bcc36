"""The GPU bench's report: figures and how each part ended, as JSON and as a Markdown table."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scripts.bench.machine import Machine

Weights = Literal["real", "random"]
Status = Literal["done", "failed", "out of time", "skipped"]
WEIGHTS_SAID: dict[Weights, str] = {"real": "real", "random": "random: speed and memory only"}


HEADLINES = (
    "tests passed",
    "one decode of the engine: word errors",
    "5 s window, one at once",
    "10 s window, one at once",
    "10 s window, 8 at once",
    "stock faster-whisper transcribe of 5 s",
    "first token, nothing cached, 1 call",
    "first token, call so far cached, 1 call",
    "first token, spoken words computed ahead, 1 call",
    "first token, call so far cached, 16 calls at once",
    "first token, call so far cached, 32 calls at once",
    "between two tokens, 1 call",
    "tokens a second, 16 calls at once",
    "GPU memory taken",
    "first clause's first audio",
    "one judgement of 8 s",
    "recorded voice-to-voice",
)
"""The figures that the README shows."""
MIN_VALUES_FOR_P95 = 5


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Figure(_Record):
    """One measurement."""

    part: str
    what: str
    model: str
    weights: Weights
    """random: the model's shape is real, its output is not."""
    where: str
    """Device and number format."""
    unit: str
    p50: float
    """The value itself if there is only one."""
    p95: float | None = None
    n: int = 1
    note: str = ""


class PartResult(_Record):
    """How one part of the bench ended."""

    name: str
    status: Status
    took_s: float
    problems: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()


class Report(_Record):
    """The whole run."""

    machine: Machine
    command: str
    device: str
    quick: bool
    """Tiny shapes and few rounds: a trial of the bench itself, whose figures mean nothing."""
    parts: tuple[PartResult, ...] = Field(default=())


def spread(values: Sequence[float], *, scale: float = 1.0) -> tuple[float, float | None]:
    """Median and, of MIN_VALUES_FOR_P95 values or more, 95th percentile; multiplied by `scale`. Raises ValueError for none."""
    if not values:
        raise ValueError("nothing was measured")
    p50, p95 = (round(float(value), 3) for value in scale * np.percentile(values, (50, 95)))
    return p50, p95 if len(values) >= MIN_VALUES_FOR_P95 else None


def joined(earlier: Report | None, report: Report) -> Report:
    """The report plus parts that only an earlier run has, if that was on the same machine and commit."""
    if earlier is None or not _is_same(earlier, report):
        return report
    again = {part.name for part in report.parts}
    kept = tuple(part for part in earlier.parts if part.name not in again)
    return report.model_copy(update={"parts": (*kept, *report.parts)})


def read(folder: Path) -> Report | None:
    """The report that `write` left there; None if there is none that can be read."""
    try:
        return Report.model_validate_json((folder / "figures.json").read_text(encoding="utf-8"))
    except (OSError, ValidationError):
        return None


def as_markdown(report: Report) -> str:
    """How the parts ended, the figures for the README, and all figures."""
    machine = report.machine
    lines = [f"Measured {machine.date} at commit {machine.commit} with `{report.command}` on {machine.sentence}", ""]
    if report.quick:
        lines += ["**A trial of the bench on tiny shapes: these figures mean nothing.**", ""]
    lines += ["| part | ended | s | what went wrong |", "|---|---|---:|---|"]
    lines += [
        _row(part.name, part.status, f"{part.took_s:.0f}", "; ".join(part.problems) or "nothing")
        for part in report.parts
    ]
    figures = [figure for part in report.parts for figure in part.figures]
    short = sorted((f for f in figures if f.what in HEADLINES), key=lambda f: HEADLINES.index(f.what))
    lines += ["", "| what | model | weights | where | p50 | p95 |", "|---|---|---|---|---:|---:|"]
    lines += [_row(*_cells(figure)[1:7]) for figure in short]
    lines += ["", "All figures:", "", "| part | what | model | weights | where | p50 | p95 | n | |"]
    lines += ["|---|---|---|---|---|---:|---:|---:|---|", *(_row(*_cells(figure)) for figure in figures)]
    return "\n".join(lines) + "\n"


def write(report: Report, folder: Path) -> None:
    """figures.json and figures.md."""
    folder.mkdir(parents=True, exist_ok=True)
    content = report.model_dump(mode="json")
    (folder / "figures.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "figures.md").write_text(as_markdown(report), encoding="utf-8")


def _is_same(earlier: Report, report: Report) -> bool:
    same_run = (earlier.device, earlier.quick) == (report.device, report.quick)
    return same_run and _identity(earlier.machine) == _identity(report.machine)


def _identity(machine: Machine) -> tuple[object, ...]:
    return machine.gpus, machine.driver, machine.cpu, machine.commit, tuple(machine.packages.items())


def _cells(figure: Figure) -> tuple[str, ...]:
    return (
        figure.part,
        figure.what,
        figure.model,
        WEIGHTS_SAID[figure.weights],
        figure.where,
        f"{_number(figure.p50)} {figure.unit}",
        "" if figure.p95 is None else f"{_number(figure.p95)} {figure.unit}",
        str(figure.n),
        figure.note,
    )


def _row(*cells: str) -> str:
    return f"| {' | '.join(' '.join(cell.split()).replace('|', '/') for cell in cells)} |"


def _number(value: float) -> str:
    """Three significant digits, without an exponent."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
