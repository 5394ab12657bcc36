"""The GPU suite, run by pytest; how many tests passed, and which did not."""

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
"""cpu tries the suite's own code where there is no GPU (tests/gpu/device.py)."""
MARGIN_S = 20.0
"""Before the part's limit the suite is ended, so that what has passed is told."""


def measure(part: Part) -> None:
    """`pytest tests/gpu`; on a trial only its quick tests."""
    chosen = ["-k", "test_piper or test_turn"] if part.quick else []
    with tempfile.TemporaryDirectory(prefix="callbox-suite-") as folder:
        outcomes = Path(folder) / "outcomes"
        command = [sys.executable, "-m", "pytest", "-p", "scripts.bench.gpu.outcomes", "tests/gpu", "-q", *chosen]
        environment = {**os.environ, DEVICE_VARIABLE: part.device, FILE_VARIABLE: str(outcomes)}
        with subprocess.Popen(command, cwd=ROOT, env=environment) as pytest:
            try:
                pytest.wait(part.limit_s - MARGIN_S)
            except subprocess.TimeoutExpired:
                part.problem(f"the suite was ended after {part.limit_s - MARGIN_S:.0f} s")
                _interrupt(pytest)
        report(part, read_outcomes(outcomes))


def report(part: Part, outcomes: Mapping[str, Mapping[str, Any]]) -> None:
    """Every test that did not pass is a problem; on a GPU a skipped one as well: nothing should be."""
    accepted = ("passed",) if part.device == "cuda" else ("passed", "skipped")
    for name, found in outcomes.items():
        if found["outcome"] not in accepted:
            part.problem(f"{name.removeprefix('tests/gpu/')} {found['outcome']}: {found['reason']}")
    passed = sum(found["outcome"] == "passed" for found in outcomes.values())
    if not outcomes:
        part.problem("pytest ran no test: its lines above say why")
    part.tell(
        "tests passed",
        Subject("tests/gpu", "real", part.device),
        [float(passed)],
        unit="tests",
        note=f"of {len(outcomes)} that ran",
    )


def _interrupt(pytest: "subprocess.Popen[bytes]") -> None:
    """As Ctrl-C: fixtures close their engines and end their processes."""
    pytest.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        pytest.wait(MARGIN_S / 2)
    pytest.kill()
