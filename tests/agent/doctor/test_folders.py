import os
from pathlib import Path

import pytest

from agent.doctor.folders import FolderState, check, find_folders, judge
from agent.doctor.report import Outcome
from tests.agent.doctor.conftest import Install

pytestmark = pytest.mark.unit

OPEN = FolderState(path="models/store", writable=True, needed_for="models")
CLOSED = FolderState(path=".cache", writable=False)


def test_what_must_still_be_written_and_cannot_be() -> None:
    row = judge((OPEN, FolderState(path=".cache", writable=False, needed_for="livekit-server")))
    assert row.outcome is Outcome.FAILED
    assert row.found == "this user may not write: .cache (for livekit-server)"
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
def test_a_closed_folder_is_seen(install: Install, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    (row,) = check(install())
    tmp_path.chmod(0o700)
    assert row.outcome is Outcome.FAILED


def test_without_a_store_the_others_are_looked_at(install: Install) -> None:
    (row,) = check(install(known_store=None))
    assert row.found == "all 2"
