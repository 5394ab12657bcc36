"""What a part of the GPU bench is given, and how it reports its figures."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.markup import escape

from models.errors import CallboxError
from scripts.bench.gpu.figures import Figure, Weights, spread
from scripts.bench.machine import free_mib

Device = Literal["cuda", "cpu"]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured: a model, its kind of weights, and where it runs."""

    model: str
    weights: Weights
    where: str


@dataclass(slots=True)
class Part:
    """One part while it runs. Every figure is written at once, so that nothing is lost if the part is cut short."""

    name: str
    device: Device
    quick: bool
    """Tiny shapes and few rounds."""
    lines: Path
    """JSON, one figure or problem per line."""
    limit_s: float = 600.0
    """Time limit of the part."""
    console: Console = field(default_factory=Console)

    def tell(
        self,
        what: str,
        subject: Subject,
        values: Sequence[float],
        *,
        unit: str = "ms",
        scale: float = 1.0,
        note: str = "",
    ) -> None:
        """Record median and 95th percentile of `values`, multiplied by `scale`; a problem if there are none."""
        if not values:
            self.problem(f"{what}, {subject.model} ({subject.where}): nothing was measured")
            return
        p50, p95 = spread(values, scale=scale)
        figure = Figure(
            part=self.name,
            what=what,
            model=subject.model,
            weights=subject.weights,
            where=subject.where,
            unit=unit,
            p50=p50,
            p95=p95,
            n=len(values),
            note=note,
        )
        self._write({"figure": figure.model_dump(mode="json")})
        tail = "" if p95 is None else f", p95 {p95:.4g}"
        self.console.print(
            f"  {subject.model}, {subject.where}: {what}: {p50:.4g}{tail} {unit}", highlight=False, markup=False
        )

    def problem(self, text: str) -> None:
        """Record a problem."""
        self._write({"problem": text})
        self.console.print(f"  [red]![/red] {escape(text)}", highlight=False)

    def attempt(self, what: str, measure: Callable[[], None]) -> None:
        """Measure; an error is recorded, and the part goes on."""
        try:
            measure()
        except Exception as error:  # noqa: BLE001 - whatever a library raises is a finding, and the next model still has to be measured
            self.problem(f"{what}: {type(error).__name__}: {error}")
            if not isinstance(error, CallboxError):
                self.console.print_exception(max_frames=8)

    def memory(self, subject: Subject, load: Callable[[], None], *, estimate_mib: int | None = None) -> None:
        """Load a model, and record the time and, by NVML, the GPU memory that it took."""
        before_mib, began = free_mib(), time.perf_counter()
        load()
        self.tell("load and warm-up", subject, [time.perf_counter() - began], unit="s")
        after_mib = free_mib()
        if before_mib is not None and after_mib is not None and self.device == "cuda":
            note = "" if estimate_mib is None else f"the plan reserves {estimate_mib:,}"
            self.tell("GPU memory taken", subject, [before_mib - after_mib], unit="MiB", note=note)

    def _write(self, line: dict[str, object]) -> None:
        with self.lines.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
