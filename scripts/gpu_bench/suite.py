"""The GPU suite, run by pytest; how many tests passed, and which did not."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from scripts.gpu_bench.machine import ROOT
from scripts.gpu_bench.part import Part, Subject

DEVICE_VARIABLE = "CALLBOX_TEST_DEVICE"
"""cpu tries the suite's own code where there is no GPU (tests/gpu/device.py)."""


def measure(part: Part) -> None:
    """`pytest tests/gpu`; on a trial only its quick tests."""
    chosen = ["-k", "piper or turn or whisper"] if part.quick else []
    with tempfile.TemporaryDirectory(prefix="callbox-suite-") as folder:
        results = Path(folder) / "junit.xml"
        subprocess.run(
            [sys.executable, "-m", "pytest", "tests/gpu", "-q", "--junitxml", str(results), *chosen],
            cwd=ROOT,
            env={**os.environ, DEVICE_VARIABLE: part.device},
            check=False,
        )
        if not results.is_file():
            part.problem("pytest wrote no results: its lines above say why")
            return
        report(part, results)


def report(part: Part, results: Path) -> None:
    """Count what is in a JUnit file; every test that did not pass is a problem."""
    suite = Subject("tests/gpu", "real", part.device)
    cases = list(ElementTree.parse(results).getroot().iter("testcase"))
    passed = 0
    for case in cases:
        bad = next((found for kind in ("failure", "error", "skipped") if (found := case.find(kind)) is not None), None)
        if bad is None:
            passed += 1
        else:
            message = (bad.get("message") or "").splitlines()[:1]
            part.problem(f"{case.get('name')}: {bad.tag}: {' '.join(message)[:300]}")
    part.tell("tests passed", suite, [float(passed)], unit="tests", note=f"of {len(cases)}")
