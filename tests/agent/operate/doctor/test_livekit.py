from pathlib import Path

import pytest

from agent.errors import ConfigError
from agent.operate.doctor.livekit import check, find_version, judge, pinned_version
from agent.operate.doctor.report import Outcome
from agent.settings import PROFILES
from tests.agent.operate.doctor.conftest import Install

pytestmark = pytest.mark.unit

PROGRAM = Path("livekit-server")


def _program(folder: Path, script: str) -> Path:
    path = folder / "bin" / "livekit-server"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_the_version_that_is_tested() -> None:
    assert judge(PROGRAM, "1.13.5", "1.13.5").outcome is Outcome.OK
    row = judge(PROGRAM, "1.9.0", "1.13.5")
    assert row.outcome is Outcome.WARNING
    assert row.found == "version 1.9.0; Callbox is tested with 1.13.5"


def test_one_that_does_not_run_here() -> None:
    assert judge(PROGRAM, None, "1.13.5").outcome is Outcome.FAILED


def test_the_program_is_asked(tmp_path: Path) -> None:
    assert find_version(_program(tmp_path, "echo livekit-server version 1.2.3")) == "1.2.3"
    assert find_version(_program(tmp_path, "exit 1")) is None
    assert find_version(_program(tmp_path, "echo nonsense")) is None
    path = _program(tmp_path, "")
    path.write_bytes(b"\x7fELF of another machine")
    assert find_version(path) is None


def test_the_installers_version_is_known() -> None:
    assert pinned_version(PROFILES.parent.parent).count(".") == 2


def test_a_missing_server_names_the_command(install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLBOX_CACHE", str(tmp_path))
    with pytest.raises(ConfigError, match="make livekit"):
        list(check(install()))
