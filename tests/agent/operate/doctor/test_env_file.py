"""Secrets: what is said about them, and that none is shown."""

from pathlib import Path

import pytest

from agent.operate.doctor.env_file import check, find_secrets, judge
from agent.operate.doctor.report import Outcome
from agent.operate.keys import ensure_keys
from tests.agent.operate.doctor.conftest import Install

pytestmark = pytest.mark.unit


def test_before_the_first_start(tmp_path: Path) -> None:
    assert judge(find_secrets(tmp_path / ".env")).outcome is Outcome.OK


def test_what_make_run_writes_is_fine(install: Install, tmp_path: Path) -> None:
    ensure_keys(tmp_path / ".env", livekit_url="ws://127.0.0.1:7880")
    (row,) = check(install())
    assert (row.outcome, row.found) == (Outcome.OK, ".env, mode 0600")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_that_others_may_read(tmp_path: Path, mode: int) -> None:
    ensure_keys(tmp_path / ".env", livekit_url="ws://127.0.0.1:7880")
    (tmp_path / ".env").chmod(mode)
    row = judge(find_secrets(tmp_path / ".env"))
    assert (row.outcome, row.fix) == (Outcome.FAILED, "`chmod 600 .env`")


def test_a_short_secret_is_counted_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LIVEKIT_API_SECRET=hunter2hunter2\n")
    (tmp_path / ".env").chmod(0o600)
    row = judge(find_secrets(tmp_path / ".env"))
    assert row.outcome is Outcome.WARNING
    assert "has 14 characters" in row.found
    assert "hunter2" not in row.model_dump_json()
