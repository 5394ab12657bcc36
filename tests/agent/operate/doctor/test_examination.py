"""A whole visit: on this machine, and with half of the things broken."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import ConfigError
from agent.operate.doctor.examination import CHECKS, examine, rows_of
from agent.operate.doctor.installation import CannotExamine, Installation
from agent.operate.doctor.report import Outcome, Report, Row, Subject
from tests.agent.operate.doctor.conftest import Install, unwatched

pytestmark = pytest.mark.unit

DISK = Subject("disk", "disk")


def _rows(report: Report) -> dict[str, Row]:
    return {row.check: row for row in report.rows}


def _assert_sound(report: Report) -> None:
    """Every check has a row, every row says what was found, and what is not right says what to do."""
    assert {subject.check for subject, _ in CHECKS} <= {row.check for row in report.rows} | {"model"}
    for row in report.rows:
        assert row.found
        assert "the check itself failed" not in row.found, row
        assert bool(row.fix) is (row.outcome in (Outcome.WARNING, Outcome.FAILED)), row
        assert "\n" not in row.fix


def test_the_profile_that_make_run_would_choose_comes_first_with_its_reason() -> None:
    report = examine("", on_model=unwatched)
    assert report.rows[0].check == "profile"
    assert report.rows[0].found.startswith(f"{report.profile}: ")
    _assert_sound(report)


def test_a_profile_that_does_not_exist() -> None:
    report = examine("nosuch", on_model=unwatched)
    rows = _rows(report)
    assert rows["settings"].outcome is Outcome.FAILED
    assert rows["ports"].outcome is Outcome.SKIPPED
    assert "row settings" in rows["ports"].found
    _assert_sound(report)


@pytest.mark.parametrize("content", ["network: {addres: 1}", "a: [", "just words", "network: {web_port: 0}"])
def test_a_site_file_that_cannot_be_used(tmp_path: Path, content: str) -> None:
    (tmp_path / "site.yaml").write_text(content)
    report = examine("demo", on_model=unwatched)
    rows = _rows(report)
    assert rows["settings"].outcome is Outcome.FAILED
    assert "site.yaml" in rows["settings"].found
    assert rows["model"].outcome is Outcome.OK, "what does not need the settings is still checked"
    _assert_sound(report)


@pytest.mark.parametrize("manifest", [None, "models: 3", "a: ["])
def test_no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, manifest: str | None) -> None:
    monkeypatch.setenv("CALLBOX_MODELS", str(tmp_path / "models"))
    (tmp_path / "models").mkdir()
    if manifest is not None:
        (tmp_path / "models" / "manifest.yaml").write_text(manifest)
    report = examine("", on_model=unwatched)
    rows = _rows(report)
    assert rows["profile"].outcome is Outcome.FAILED
    assert rows["manifest"].outcome is Outcome.FAILED
    assert rows["disk"].outcome is Outcome.SKIPPED
    assert rows["ports"].outcome is not Outcome.SKIPPED
    _assert_sound(report)


def test_an_empty_folder_instead_of_a_checkout(tmp_path: Path) -> None:
    report = examine("demo", on_model=unwatched, root=tmp_path)
    rows = _rows(report)
    assert rows["packages"].outcome is Outcome.FAILED
    assert all(row.fix for row in report.rows if row.outcome is Outcome.FAILED)


def _check_that(error: Exception) -> Iterator[Row]:
    yield DISK.ok("never shown")
    raise error


@pytest.mark.parametrize(
    ("error", "outcome", "found", "fix"),
    [
        (CannotExamine("needs the settings"), Outcome.SKIPPED, "needs the settings", ""),
        (ConfigError("It is so. Do that."), Outcome.FAILED, "It is so", "Do that."),
        (PermissionError(13, "Permission denied"), Outcome.FAILED, "the check itself failed: PermissionError", "disk"),
        (KeyError("x"), Outcome.FAILED, "the check itself failed: KeyError: 'x'", "disk"),
    ],
)
def test_a_check_that_fails_is_a_row(
    install: Install, error: Exception, outcome: Outcome, found: str, fix: str
) -> None:
    def check(installation: Installation) -> Iterator[Row]:
        return _check_that(error)

    (row,) = rows_of(DISK, check, install())
    assert row.outcome is outcome
    assert row.found.startswith(found)
    assert fix in row.fix


def _run(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "agent", "doctor", *options]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
    )


def test_the_command_prints_one_json_object_and_nothing_else(tmp_path: Path) -> None:
    done = _run("--json", "--profile", "demo", HTTPS_PROXY="http://user:hunter2@proxy:3128")
    report = Report.model_validate(json.loads(done.stdout))
    assert done.returncode == (0 if report.healthy else 1)
    assert done.stderr == ""
    assert _rows(report)["offline"].outcome is Outcome.WARNING, "the environment is looked at as it was at the start"
    assert "hunter2" not in done.stdout


def test_the_command_fails_when_something_failed(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("network: {addres: 1}")
    done = _run("--profile", "demo")
    assert done.returncode == 1
    assert "unknown key" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_the_address_can_be_tried_before_it_is_set() -> None:
    done = _run("--json", "--profile", "demo", "--address", "203.0.113.77")
    rows = _rows(Report.model_validate_json(done.stdout))
    assert "203.0.113.77 is not an address of this machine" in rows["address"].found


def test_no_inference_library_is_loaded() -> None:
    program = (
        "import sys; from agent.operate.doctor.examination import examine;"
        "examine('demo', on_model=lambda name, size: lambda count: None);"
        "print([n for n in ('ctranslate2', 'faster_whisper', 'vllm', 'piper', 'onnxruntime', 'torch') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
