"""Runs a part of the bench in a process of its own with a time limit.

A part that crashes, hangs or runs out of memory does not affect the others, and frees the GPU.
"""

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from scripts.bench.gpu.figures import Figure, PartResult, Status

GRACE_S = 15.0
"""Between asking a part to stop and killing it."""


def run_part(name: str, command: Sequence[str], *, limit_s: float) -> PartResult:
    """Run `COMMAND --lines FILE` and read that file, even if the command did not finish."""
    with tempfile.TemporaryDirectory(prefix="callbox-bench-") as folder:
        lines = Path(folder) / "lines"
        lines.touch()
        began = time.monotonic()
        with subprocess.Popen([*command, "--lines", str(lines)], start_new_session=True) as process:
            try:
                code: int | None = process.wait(limit_s)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                _end_session(process)
        took_s = time.monotonic() - began
        figures, problems = read_lines(lines)
    return _result(name, code, took_s, figures, problems, limit_s)


def read_lines(path: Path) -> tuple[tuple[Figure, ...], tuple[str, ...]]:
    """Figures and problems that a part recorded, without a last line that was cut off."""
    figures, problems = [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        with contextlib.suppress(json.JSONDecodeError, ValidationError):
            content = json.loads(line)
            if "figure" in content:
                figures.append(Figure.model_validate(content["figure"]))
            else:
                problems.append(str(content["problem"]))
    return tuple(figures), tuple(problems)


def _result(
    name: str, code: int | None, took_s: float, figures: Sequence[Figure], problems: Sequence[str], limit_s: float
) -> PartResult:
    status: Status = "failed" if problems or code else "done"
    found = list(problems)
    if code is None:
        status = "out of time"
        found.append(f"stopped at its limit of {limit_s:.0f} s")
    elif code < 0:
        found.append(f"ended by signal {signal.Signals(-code).name}")
    elif code and not problems:
        found.append(f"exited with status {code}: its output above says why")
    return PartResult(name=name, status=status, took_s=round(took_s, 1), problems=tuple(found), figures=tuple(figures))


def _end_session(process: "subprocess.Popen[bytes]") -> None:
    """End the part and whatever it started: vLLM's core would keep the GPU's memory."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S)
