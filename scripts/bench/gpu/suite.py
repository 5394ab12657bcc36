"""The GPU tests, run by pytest: how many passed, and which did not."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.bench.gpu.outcomes import FILE_VARIABLE, read_outcomes
from scripts.bench.gpu.part import Part, Subject
from scripts.paths import ROOT

DEVICE_VARIABLE = "CALLBOX_TEST_DEVICE"
"""cpu tries the suite's own code without a GPU (tests/gpu/device.py)."""
MARGIN_S = 20.0
"""The suite is stopped this long before the part's limit, so that its outcomes are reported."""


def measure(part: Part) -> None:
    """Run `pytest tests/gpu`; in a quick trial only its quick tests."""
    chosen = ["-k", "test_piper or test_turn"] if part.quick else []
    with tempfile.TemporaryDirectory(prefix="callbox-suite-") as folder:
        outcomes = Path(folder) / "outcomes"
        command = [sys.executable, "-m", "pytest", "-p", "scripts.bench.gpu.outcomes", "tests/gpu", "-q", *chosen]
        environment = {**os.environ, DEVICE_VARIABLE: part.device, FILE_VARIABLE: str(outcomes)}
        with subprocess.Popen(command, cwd=ROOT, env=environment) as pytest:
            try:
                pytest.wait(part.limit_s - MARGIN_S)
            except subprocess.TimeoutExpired:
                part.problem(f"the suite was stopped after {part.limit_s - MARGIN_S:.0f} s")
                _interrupt(pytest)
        report(part, read_outcomes(outcomes))


def report(part: Part, outcomes: Mapping[str, Mapping[str, Any]]) -> None:
    """Record every test that did not pass as a problem; on a GPU also skipped ones, since nothing should be skipped."""
    accepted = ("passed",) if part.device == "cuda" else ("passed", "skipped")
    for name, found in outcomes.items():
        if found["outcome"] not in accepted:
            part.problem(f"{name.removeprefix('tests/gpu/')} {found['outcome']}: {found['reason']}")
    passed = sum(found["outcome"] == "passed" for found in outcomes.values())
    if not outcomes:
        part.problem("pytest ran no test: its output above says why")
    part.tell(
        "tests passed",
        Subject("tests/gpu", "real", part.device),
        [float(passed)],
        unit="tests",
        note=f"of {len(outcomes)} that ran",
    )


def _interrupt(pytest: "subprocess.Popen[bytes]") -> None:
    """Like Ctrl-C: fixtures close their engines and end their processes."""
    pytest.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        pytest.wait(MARGIN_S / 2)
    pytest.kill()
