"""Room on the disks: judged with facts, and a real disk of one MiB where this user may make one."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent.operate.doctor.disk import Disk, Folder, check, find_disks, find_missing, judge, nearest
from agent.operate.doctor.report import Outcome
from agent.settings import Settings
from models.store import open_store
from tests.agent.operate.doctor.conftest import Install, with_models
from tests.models.conftest import describe, write_manifest

pytestmark = pytest.mark.unit

GIB = 2**30
REPOSITORY = {"kind": "repository", "repository": "o/n", "command": "scripts/download_models.sh"}


def _disk(free_gib: float, needed_gib: float = 0.0) -> Disk:
    return Disk(
        labels=("models/store",),
        total_bytes=100 * GIB,
        free_bytes=int(free_gib * GIB),
        needed_bytes=int(needed_gib * GIB),
    )


@pytest.mark.parametrize(
    ("disk", "outcome"),
    [
        (_disk(50), Outcome.OK),
        (_disk(50, 16), Outcome.OK),
        (_disk(17, 16), Outcome.WARNING),
        (_disk(12, 16), Outcome.FAILED),
        (_disk(1), Outcome.WARNING),
        (_disk(0.05), Outcome.FAILED),
        (_disk(0), Outcome.FAILED),
    ],
)
def test_room_for_the_downloads_and_a_reserve(disk: Disk, outcome: Outcome) -> None:
    row = judge((disk,))
    assert row.outcome is outcome
    assert f"{disk.free_bytes / GIB:.1f} GiB free" in row.found or disk.free_bytes < GIB
    assert bool(row.fix) is (outcome is not Outcome.OK)


def test_the_shortfall_is_reported() -> None:
    row = judge((_disk(12, 16),))
    assert "16.0 GiB still to download" in row.found
    assert row.fix.startswith("Free 4.0 GiB more")


def test_folders_on_one_disk_are_one_entry_and_need_their_sum(tmp_path: Path) -> None:
    first, second = (Folder(path=tmp_path / name, label=name, needed_bytes=5) for name in ("a", "b"))
    (disk,) = find_disks((first, second))
    assert (disk.labels, disk.needed_bytes) == (("a", "b"), 10)
    assert disk.total_bytes == shutil.disk_usage(tmp_path).total


def test_a_parent_stands_in_for_a_folder_that_does_not_exist_yet(tmp_path: Path) -> None:
    assert nearest(tmp_path / "a" / "b") == tmp_path
    assert nearest(tmp_path) == tmp_path


SMALL_DISK = """
mount -t tmpfs -o size=1m tmpfs "$1" && exec "$2" -c '
import sys
from pathlib import Path
from agent.operate.doctor.disk import Folder, find_disks, judge
disks = find_disks([Folder(path=Path(sys.argv[1]), label="small"), Folder(path=Path(sys.argv[2]), label="large")])
print(len(disks), disks[0].total_bytes, judge(disks[:1]).outcome)
' "$1" "$3"
"""


def test_a_real_disk_of_one_mib_is_full(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "true"], check=False).returncode:
        pytest.skip("this user may not mount in a namespace of its own")
    command = ["unshare", "-rm", "sh", "-c", SMALL_DISK, "sh", str(small), sys.executable, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["2", str(2**20), "failed"], done.stderr


def test_models_that_are_missing_are_counted(install: Install, settings: Settings, tmp_path: Path) -> None:
    root = tmp_path / "models"
    pinned = {"path": "m.bin", "size": 3_000_000, "sha256": "0" * 64}
    write_manifest(
        root,
        whole=describe(),
        pinned=describe(source={**REPOSITORY, "revision": "0" * 40}, files=[pinned]),
        piper_lessac_medium=describe(source=REPOSITORY, files=[]),
        unheard_of=describe(source=REPOSITORY, files=[]),
        of_others=describe(source=REPOSITORY, files=[]),
    )
    chosen = with_models(settings, "pinned", "piper-lessac-medium", "unheard-of")
    installation = install(known_store=open_store(root), known_settings=chosen)
    missing = find_missing(installation)
    assert missing == {"pinned": 3_000_000, "piper-lessac-medium": 63_000_000, "unheard-of": None}
    (row,) = check(installation)
    assert "63 MiB still to download" in row.found
    assert "unheard-of" in row.found


def test_a_complete_store_needs_nothing_more(install: Install) -> None:
    assert find_missing(install()) == {}
