"""The parts of the GPU bench, each run in a process of its own within a time limit."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

from scripts.bench.gpu.figures import PartResult
from scripts.bench.gpu.part import Device, Part
from scripts.bench.gpu.running import run_part
from scripts.command_line import console

MODULE = "scripts.bench.gpu"
"""Run with --part for one part."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A part that can be chosen."""

    function: str
    """Measures it; module:function in this package."""
    limit_s: float
    """On one GPU; together 25 minutes."""

    def load(self) -> Callable[[Part], None]:
        """Import its function."""
        module, _, name = self.function.partition(":")
        measure: Callable[[Part], None] = getattr(import_module(f"{MODULE}.{module}"), name)
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
CPU_LIMIT_S = 1500.0
"""Of each part without a GPU: loading vLLM alone may take minutes."""


def select(only: Sequence[str]) -> list[str]:
    """Parts named one by one or separated by commas, in the order in which they run; all if none. Raises ValueError."""
    wanted = " ".join(only).replace(",", " ").split()
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        raise ValueError(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    return [name for name in PARTS if not wanted or name in wanted]


def limit_s(name: str, device: Device) -> float:
    """How long a part may take."""
    return PARTS[name].limit_s if device == "cuda" else CPU_LIMIT_S


def run(name: str, device: Device, *, quick: bool) -> PartResult:
    """Run a part in a process of its own."""
    limit = limit_s(name, device)
    console.rule(f"{name} (at most {limit:.0f} s)")
    options = ["--part", name, "--device", device, *(["--quick"] if quick else [])]
    result = run_part(name, [sys.executable, "-m", MODULE, *options], limit_s=limit)
    console.print(f"{name}: {result.status} after {result.took_s:.0f} s", highlight=False)
    return result
