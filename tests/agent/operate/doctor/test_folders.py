import os
from pathlib import Path

import pytest

from agent.operate.doctor.folders import FolderState, check, compile_caches, find_folders, judge
from agent.operate.doctor.report import Outcome
from tests.agent.operate.doctor.conftest import Install

pytestmark = pytest.mark.unit

OPEN = FolderState(path="models/store", writable=True, needed_for="models")
CLOSED = FolderState(path=".cache", writable=False)


def test_what_must_still_be_written_and_cannot_be() -> None:
    row = judge((OPEN, FolderState(path=".cache", writable=False, needed_for="livekit-server")))
    assert row.outcome is Outcome.FAILED
    assert row.found == "this user may not write to: .cache (for livekit-server)"
    assert "chown" in row.fix


def test_a_box_that_has_everything_may_be_read_only() -> None:
    row = judge((OPEN, CLOSED))
    assert row.outcome is Outcome.OK
    assert "read-only" in row.found


def test_what_is_needed_follows_from_what_is_there(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLBOX_CACHE", str(tmp_path / ".cache"))
    before = find_folders(install())
    assert [folder.needed_for for folder in before] == [".env", "livekit-server", ""]
    (tmp_path / ".env").write_text("LIVEKIT_URL=ws://a\nLIVEKIT_API_KEY=b\nLIVEKIT_API_SECRET=c\n")
    server = tmp_path / ".cache" / "bin" / "livekit-server"
    server.parent.mkdir(parents=True)
    server.write_text("")
    server.chmod(0o755)
    assert [folder.needed_for for folder in find_folders(install())] == ["", "", ""]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_write_permission_is_noticed(install: Install, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    (row,) = check(install())
    tmp_path.chmod(0o700)
    assert row.outcome is Outcome.FAILED


def test_without_a_store_the_others_are_checked(install: Install) -> None:
    (row,) = check(install(known_store=None))
    assert row.found == "all 2"


def test_the_gpu_profile_writes_where_vllm_is_told_to(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_CACHE_HOME", "VLLM_CACHE_ROOT", "TRITON_CACHE_DIR", "TRITON_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    found = find_folders(install(profile="gpu"))[-2:]
    assert [folder.path for folder in found] == [str(tmp_path / ".cache" / "vllm"), str(tmp_path / ".triton")]
    assert all(folder.needed_for for folder in found)


def test_vllms_own_variables_come_first() -> None:
    told = {"HOME": "home", "XDG_CACHE_HOME": "xdg", "VLLM_CACHE_ROOT": "vllm", "TRITON_CACHE_DIR": "triton"}
    assert compile_caches(told) == (Path("vllm"), Path("triton"))
    assert compile_caches({"HOME": "home", "XDG_CACHE_HOME": "xdg"}) == (Path("xdg/vllm"), Path("home/.triton"))
