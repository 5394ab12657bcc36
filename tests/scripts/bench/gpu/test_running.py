"""Running a part: its figures and problems, limits, crashes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from scripts.bench.gpu import running, suite
from scripts.bench.gpu.figures import Figure, PartResult
from scripts.bench.gpu.outcomes import FILE_VARIABLE, read_outcomes
from scripts.bench.gpu.part import Part, Subject
from scripts.paths import ROOT

pytestmark = pytest.mark.unit

SUBJECT = Subject("a model", "random", "cuda float16")


def part_at(folder: Path, name: str = "stt") -> Part:
    return Part(name, "cpu", True, folder / "lines")


def run(lines: Sequence[str], limit_s: float = 20.0) -> PartResult:
    """Run a small program as a part; its `tell` writes a figure."""
    figure = Figure(part="stt", what="w", model="m", weights="real", where="cpu", unit="ms", p50=1.0)
    told = json.dumps({"figure": figure.model_dump(mode="json")})
    head = ["import os, signal, sys, time", f"tell = lambda: open(sys.argv[-1], 'a').write({told!r} + chr(10))"]
    return running.run_part("stt", [sys.executable, "-c", "\n".join([*head, *lines])], limit_s=limit_s)


def test_a_part_that_finishes_is_done() -> None:
    result = run(["tell()"])
    assert (result.status, len(result.figures), result.problems) == ("done", 1, ())


def test_a_part_that_crashes_keeps_what_it_measured() -> None:
    result = run(["tell()", f"os.kill(os.getpid(), {signal.SIGSEGV.value})"])
    assert result.status == "failed"
    assert len(result.figures) == 1
    assert result.problems == ("ended by signal SIGSEGV",)


def test_a_part_that_hangs_is_killed_with_all_its_processes() -> None:
    """vLLM's core is a child of the part: if it stayed, the next part would find no memory."""
    start = "import subprocess; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])"
    say_pid = """open(sys.argv[-1], 'a').write('{"problem": "%d"}' % child.pid + chr(10))"""
    result = run(["tell()", start, say_pid, "time.sleep(600)"], limit_s=3.0)
    assert result.status == "out of time"
    assert len(result.figures) == 1
    child, reason = result.problems
    assert reason == "stopped at its limit of 3 s"
    assert not psutil.pid_exists(int(child)) or psutil.Process(int(child)).status() == psutil.STATUS_ZOMBIE


def test_an_error_is_recorded_and_the_part_goes_on(tmp_path: Path) -> None:
    part = part_at(tmp_path)

    def fail() -> None:
        raise RuntimeError("CUDA error: no kernel image")

    part.attempt("Whisper", fail)
    part.tell("nothing", SUBJECT, [])
    part.tell("something", SUBJECT, [0.5, 0.7], scale=1e3)
    found, problems = running.read_lines(part.lines)
    assert [figure.p50 for figure in found] == [600.0]
    assert problems[0] == "Whisper: RuntimeError: CUDA error: no kernel image"
    assert "nothing was measured" in problems[1]


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    part = part_at(tmp_path)
    part.tell("something", SUBJECT, [1.0])
    with part.lines.open("a") as file:
        file.write('{"figure": {"part": "st')
    found, problems = running.read_lines(part.lines)
    assert (len(found), problems) == (1, ())


def test_every_test_that_did_not_pass_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(
        "import pytest\n"
        "def test_good(): pass\n"
        "def test_bad(): assert 1 == 2\n"
        "@pytest.mark.skip(reason='no GPU')\n"
        "def test_skipped(): pass\n"
        "@pytest.fixture\ndef broken(): raise RuntimeError('it broke')\n"
        "def test_never_began(broken): pass\n"
    )
    outcomes = tmp_path / "outcomes"
    options = ["-q", "-p", "scripts.bench.gpu.outcomes", "-c", os.devnull, str(tmp_path)]
    environment = {**os.environ, FILE_VARIABLE: str(outcomes)}
    subprocess.run(
        [sys.executable, "-m", "pytest", *options], env=environment, cwd=ROOT, capture_output=True, check=False
    )
    part = replace(part_at(tmp_path, "suite"), device="cuda")
    suite.report(part, read_outcomes(outcomes))
    found, problems = running.read_lines(part.lines)
    assert (found[0].p50, found[0].note) == (1.0, "of 4 that ran")
    assert len(problems) == 3
    assert "test_bad failed: " in problems[0]
    assert "assert 1 == 2" in problems[0]
    assert "no GPU" in problems[1]
    assert "it broke" in problems[2]
