"""Installing: complete, repeatable, keeping what operators edited, and never from a damaged bundle."""

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from models.bundle.contents import LIVEKIT_SERVER
from models.bundle.errors import BundleRefused, TargetUnfit
from models.bundle.install import install
from models.bundle.installed import only_one, read_record
from tests.models.bundle.synthetic import (
    CONFIG,
    FILES,
    MODEL,
    SOURCE,
    WHEEL,
    Operator,
    make_bundle,
    resign,
)

pytestmark = pytest.mark.unit

PLACES = {
    SOURCE: "agent/__main__.py",
    CONFIG: "configs/clinic.yaml",
    MODEL: "models/store/big-model/model.bin",
    LIVEKIT_SERVER: ".cache/bin/livekit-server",
    "licences/README.txt": "licences/README.txt",
}


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """The folder to install into; it does not exist yet."""
    return tmp_path / "box"


def newer(tmp_path: Path, operator: Operator, **changes: bytes | None) -> Path:
    return make_bundle(tmp_path / "newer", operator, **changes)


@pytest.mark.parametrize("form", ["bundle", "tar"])
def test_everything_is_in_its_place(form: str, request: pytest.FixtureRequest, operator: Operator, box: Path) -> None:
    outcome = install(request.getfixturevalue(form), operator.public, box)
    for path, place in PLACES.items():
        assert (box / place).read_bytes() == FILES[path]
    assert os.access(box / ".cache/bin/livekit-server", os.X_OK)
    assert not os.access(box / "agent/__main__.py", os.X_OK)
    assert (box / ".venv/called").read_text() == f"cpu {sys.executable}\n"
    assert (box / ".venv/wheels").read_text().split() == ["built.txt", Path(WHEEL).name]
    assert read_record(box).complete
    assert (outcome.copied, outcome.kept, outcome.removed) == (8, 0, 0)
    assert not (box / ".cache/bundle").exists()


def test_repeated_install_copies_nothing(bundle: Path, operator: Operator, box: Path) -> None:
    install(bundle, operator.public, box)
    before = (box / PLACES[MODEL]).stat()
    outcome = install(bundle, operator.public, box)
    assert (outcome.copied, outcome.kept) == (0, 8)
    after = (box / PLACES[MODEL]).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


KILLS_THE_INSTALLER_ONCE = b"""#!/bin/sh
cd "$(dirname "$0")/.."
[ -e killed ] || { touch killed; kill -KILL $PPID; }
mkdir -p .venv
"""
INSTALL = "import sys, pathlib; from models.bundle.install import install; install(*map(pathlib.Path, sys.argv[1:]))"


def test_killed_install_is_finished_by_the_same_command(tmp_path: Path, operator: Operator, box: Path) -> None:
    bundle = newer(tmp_path, operator, **{"source/scripts/install_python.sh": KILLS_THE_INSTALLER_ONCE})
    command: list[str | Path] = [sys.executable, "-c", INSTALL, bundle, operator.public, box]
    assert subprocess.run(command, capture_output=True, check=False).returncode == -signal.SIGKILL
    assert not read_record(box).complete
    model = box / PLACES[MODEL]
    model.rename(model.with_name(f".{model.name}.partial"))  # as if it had been killed a little sooner
    outcome = install(bundle, operator.public, box)
    assert read_record(box).complete
    assert model.read_bytes() == FILES[MODEL]
    assert outcome.copied == 1
    assert list(box.rglob("*.partial")) == []


def test_file_that_cannot_be_written_is_said_and_the_rest_is_kept(bundle: Path, operator: Operator, box: Path) -> None:
    install(bundle, operator.public, box)
    (box / "agent/old.py").unlink()
    (box / "agent/old.py").mkdir()
    with pytest.raises(IsADirectoryError, match=r"old\.py"):
        install(bundle, operator.public, box)
    assert not read_record(box).complete
    (box / "agent/old.py").rmdir()
    assert install(bundle, operator.public, box).copied == 1


def test_failing_packages_are_said_and_can_be_repeated(
    tmp_path: Path, operator: Operator, box: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    script = b"#!/bin/sh\necho 'setup: no room' >&2\nexit 1\n"
    failing = make_bundle(tmp_path / "failing", operator, **{"source/scripts/install_python.sh": script})
    with pytest.raises(TargetUnfit, match="packages were not installed"):
        install(failing, operator.public, box)
    assert "setup: no room" in capfd.readouterr().err
    assert not read_record(box).complete
    install(newer(tmp_path, operator), operator.public, box)
    assert read_record(box).complete


@pytest.mark.parametrize("path", [MODEL, WHEEL, SOURCE])
def test_damaged_bundle_installs_nothing(bundle: Path, operator: Operator, box: Path, path: str) -> None:
    (bundle / path).write_bytes(FILES[path].swapcase())
    with pytest.raises(BundleRefused, match=path):
        install(bundle, operator.public, box)
    assert not box.exists()


def test_update_takes_the_new_and_removes_the_old(bundle: Path, tmp_path: Path, operator: Operator, box: Path) -> None:
    install(bundle, operator.public, box)
    changed = newer(tmp_path, operator, **{SOURCE: b"print('newer')\n", "source/agent/old.py": None})
    outcome = install(changed, operator.public, box)
    assert (box / "agent/__main__.py").read_bytes() == b"print('newer')\n"
    assert not (box / "agent/old.py").exists()
    assert (outcome.copied, outcome.removed) == (1, 1)


def test_update_keeps_what_is_the_operators(bundle: Path, tmp_path: Path, operator: Operator, box: Path) -> None:
    install(bundle, operator.public, box)
    own = {
        ".env": "SECRET=1\n",
        "configs/site.yaml": "capacity: {max_calls: 2}\n",
        "configs/clinic.yaml": "name: Ours\n",
    }
    for path, text in own.items():
        (box / path).write_text(text)
    outcome = install(newer(tmp_path, operator, **{CONFIG: b"name: Newer Clinic\n"}), operator.public, box)
    assert {path: (box / path).read_text() for path in own} == own
    assert (box / "configs/clinic.yaml.new").read_bytes() == b"name: Newer Clinic\n"
    assert any("configs/clinic.yaml was edited and is kept" in note for note in outcome.notes)


def test_edited_configuration_that_did_not_change_stays_without_a_word(
    bundle: Path, operator: Operator, box: Path
) -> None:
    install(bundle, operator.public, box)
    (box / "configs/clinic.yaml").write_text("name: Ours\n")
    outcome = install(bundle, operator.public, box)
    assert (box / "configs/clinic.yaml").read_text() == "name: Ours\n"
    assert not (box / "configs/clinic.yaml.new").exists()
    assert not any("clinic" in note for note in outcome.notes)


def test_configuration_that_nobody_edited_is_updated(
    bundle: Path, tmp_path: Path, operator: Operator, box: Path
) -> None:
    install(bundle, operator.public, box)
    install(newer(tmp_path, operator, **{CONFIG: b"name: Newer Clinic\n"}), operator.public, box)
    assert (box / "configs/clinic.yaml").read_bytes() == b"name: Newer Clinic\n"


def test_damaged_installation_is_repaired(bundle: Path, operator: Operator, box: Path) -> None:
    install(bundle, operator.public, box)
    (box / PLACES[MODEL]).write_bytes(b"broken")
    (box / ".cache/bin/livekit-server").unlink()
    outcome = install(bundle, operator.public, box)
    assert (box / PLACES[MODEL]).read_bytes() == FILES[MODEL]
    assert outcome.copied == 2


def test_environment_of_a_python_without_wheels_is_made_anew(bundle: Path, operator: Operator, box: Path) -> None:
    install(bundle, operator.public, box)
    (box / ".venv/bin/python").unlink()
    (box / ".venv/old").touch()
    install(bundle, operator.public, box)
    assert not (box / ".venv/old").exists()


def test_older_bundle_is_said_to_be_one(bundle: Path, operator: Operator, box: Path) -> None:
    install(bundle, operator.public, box)
    resign(bundle, operator, lambda manifest: replace(manifest, created_at="2025-12-31T00:00:00+00:00"))
    assert any("This bundle is older (2025-12-31" in note for note in install(bundle, operator.public, box).notes)


def test_folder_of_something_else_is_left_alone(bundle: Path, operator: Operator, box: Path) -> None:
    box.mkdir()
    (box / "thesis.txt").write_text("years of work")
    with pytest.raises(TargetUnfit, match="that are not Callbox"):
        install(bundle, operator.public, box)
    assert [path.name for path in box.iterdir()] == ["thesis.txt"]


def test_git_checkout_is_left_to_git(bundle: Path, operator: Operator, box: Path) -> None:
    (box / ".git").mkdir(parents=True)
    with pytest.raises(TargetUnfit, match="is a git checkout"):
        install(bundle, operator.public, box)


def test_two_installs_do_not_meet(bundle: Path, operator: Operator, box: Path) -> None:
    with only_one(box), pytest.raises(TargetUnfit, match="Another install into"):
        install(bundle, operator.public, box)


def test_missing_python_is_named(bundle: Path, operator: Operator, box: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resign(bundle, operator, lambda manifest: replace(manifest, pythons=("3.99",)))
    monkeypatch.delenv("PYTHON", raising=False)
    with pytest.raises(
        TargetUnfit, match=r"for Python 3\.99 with its venv module; found: .*apt-get install python3\.99"
    ):
        install(bundle, operator.public, box)
    assert not box.exists()


def test_full_disk_is_said_with_figures(bundle: Path, operator: Operator, box: Path) -> None:
    resign(bundle, operator, lambda manifest: replace(manifest, unpacked_packages_bytes=10**18))
    with pytest.raises(TargetUnfit, match=r"MB free, but 1,000,000,000,000\.\d MB will be written"):
        install(bundle, operator.public, box)
    assert not box.exists()


def test_older_c_library_is_named(bundle: Path, operator: Operator, box: Path) -> None:
    resign(bundle, operator, lambda manifest: replace(manifest, glibc="2.99"))
    with pytest.raises(TargetUnfit, match=r"need glibc 2\.99 or later; this machine has glibc 2\.\d+"):
        install(bundle, operator.public, box)


def test_missing_tools_are_told_and_do_not_stop(
    bundle: Path, operator: Operator, box: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("bash", "dirname", "mkdir", "ls", "cat", "ln", "env"):
        (tools / tool).symlink_to(shutil.which(tool) or "")
    monkeypatch.setenv("PATH", str(tools))
    outcome = install(bundle, operator.public, box)
    assert any("make is not installed" in note for note in outcome.notes)
