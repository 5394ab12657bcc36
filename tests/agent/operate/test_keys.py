import os
import stat
from pathlib import Path

import pytest
from dotenv import dotenv_values

from agent.errors import ConfigError
from agent.operate.keys import ensure_keys
from agent.settings import load_keys

pytestmark = pytest.mark.unit

URL = "ws://127.0.0.1:7880"


@pytest.fixture(autouse=True)
def no_keys_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"):
        monkeypatch.delenv(name, raising=False)


def _mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_the_first_run_makes_keys_that_only_this_user_can_read(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    previous = os.umask(0)
    try:
        assert ensure_keys(file, livekit_url=URL)
    finally:
        os.umask(previous)
    assert _mode(file) == 0o600
    keys = load_keys(file)
    assert keys.livekit_url == URL
    assert len(keys.api_secret) >= 32
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


def test_two_installations_have_different_keys(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a", "b")]
    for file in files:
        ensure_keys(file, livekit_url=URL)
    first, second = (dotenv_values(file) for file in files)
    assert first["LIVEKIT_API_KEY"] != second["LIVEKIT_API_KEY"]
    assert first["LIVEKIT_API_SECRET"] != second["LIVEKIT_API_SECRET"]


def test_later_runs_change_nothing(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    ensure_keys(file, livekit_url=URL)
    before = file.read_bytes()
    assert not ensure_keys(file, livekit_url=URL)
    assert file.read_bytes() == before


def test_what_the_file_says_is_kept_and_what_it_lacks_is_added(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("CALLBOX_ADDRESS=192.168.1.5\nLIVEKIT_API_KEY=mine")
    assert ensure_keys(file, livekit_url=URL)
    values = dotenv_values(file)
    assert values["CALLBOX_ADDRESS"] == "192.168.1.5"
    assert values["LIVEKIT_API_KEY"] == "mine"
    assert values["LIVEKIT_API_SECRET"]


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    ensure_keys(file, livekit_url=URL)
    file.chmod(0o644)
    ensure_keys(file, livekit_url=URL)
    assert _mode(file) == 0o600


def test_keys_of_the_environment_need_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"):
        monkeypatch.setenv(name, "given")
    assert not ensure_keys(tmp_path / ".env", livekit_url=URL)
    assert not (tmp_path / ".env").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing/\.env cannot be written"):
        ensure_keys(tmp_path / "missing" / ".env", livekit_url=URL)
