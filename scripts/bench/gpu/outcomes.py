"""A pytest plugin that writes each test's outcome while the suite runs, so that nothing is lost if the suite is cut short.

pytest -p scripts.bench.gpu.outcomes        # into the file that CALLBOX_OUTCOMES names: one JSON object a line
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

FILE_VARIABLE = "CALLBOX_OUTCOMES"
MAX_REASON_CHARACTERS = 300


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Record the outcome of a test or of its fixtures; a rerun counts by its last run."""
    if report.when == "call" or report.outcome != "passed":
        line = {"test": report.nodeid, "outcome": report.outcome, "reason": reason_of(report)}
        with Path(os.environ[FILE_VARIABLE]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def read_outcomes(path: Path) -> Mapping[str, Mapping[str, Any]]:
    """The last outcome of each test, by name; a test whose teardown failed has failed."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return {found["test"]: found for found in map(json.loads, lines)}


def reason_of(report: pytest.TestReport) -> str:
    """The reason in one line; empty for a test that passed."""
    if report.outcome == "passed":
        return ""
    if isinstance(report.longrepr, tuple):  # a skipped test: file, line, reason
        return str(report.longrepr[2])[:MAX_REASON_CHARACTERS]
    crash = getattr(report.longrepr, "reprcrash", None)
    text = str(crash.message if crash else report.longrepr)
    return " ".join(text.split())[:MAX_REASON_CHARACTERS]
