"""A pytest plugin that writes how each test ended while the suite runs, so that a suite that is cut short has lost nothing.

pytest -p scripts.bench.gpu.outcomes        # into the file that CALLBOX_OUTCOMES names: one JSON object a line
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

FILE_VARIABLE = "CALLBOX_OUTCOMES"
LONGEST_REASON = 300


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A test's own end, or that its fixtures failed; a test that is run again after it failed counts by its last run."""
    if report.when == "call" or report.outcome != "passed":
        line = {"test": report.nodeid, "outcome": report.outcome, "reason": reason_of(report)}
        with Path(os.environ[FILE_VARIABLE]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def read_outcomes(path: Path) -> Mapping[str, Mapping[str, Any]]:
    """The last outcome of each test, by its name; what failed while it was taken down is failed."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return {found["test"]: found for found in map(json.loads, lines)}


def reason_of(report: pytest.TestReport) -> str:
    """One line; empty for a test that passed."""
    if report.outcome == "passed":
        return ""
    if isinstance(report.longrepr, tuple):  # a skipped test: file, line, reason
        return str(report.longrepr[2])[:LONGEST_REASON]
    crash = getattr(report.longrepr, "reprcrash", None)
    text = str(crash.message if crash else report.longrepr)
    return " ".join(text.split())[:LONGEST_REASON]
