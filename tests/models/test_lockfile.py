"""The lock: what it adds to the manifest, and which pins are refused."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from models.errors import LockInvalid, ModelMissing
from models.lockfile import LockedModel, load_lock, save_lock
from models.manifest import ModelFile
from models.store import ModelState, open_store
from tests.models.conftest import describe, pin, repository, write_manifest

pytestmark = pytest.mark.unit

COMMIT = "1" * 40  # which YAML would take for a number
CONTENT = b"weights"


def write_lock(root: Path, **changes: Any) -> None:
    entry = {"repository": "lab/big", "revision": COMMIT, "files": [pin("model.bin", CONTENT)], **changes}
    (root / "lock.yaml").write_text(yaml.safe_dump({"models": {"big": entry}}))


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    """A root with a downloadable model, `big`, its pin and its bytes."""
    write_manifest(tmp_path, big=repository("lab/big"))
    write_lock(tmp_path)
    folder = tmp_path / "store" / "big"
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(CONTENT)
    return tmp_path


def test_a_locked_model_resolves_and_is_checked(locked: Path) -> None:
    assert open_store(locked).resolve("big") == locked / "store" / "big"
    (locked / "store" / "big" / "model.bin").write_bytes(b"weighty")
    status = open_store(locked).status("big")
    assert status.state is ModelState.DAMAGED
    assert "`scripts/download_models.sh` replaces it" in status.detail


def test_without_its_pin_the_model_is_missing(locked: Path) -> None:
    with pytest.raises(ModelMissing, match="has not been downloaded"):
        open_store(locked, unpin=["big"]).resolve("big")
    (locked / "lock.yaml").unlink()
    with pytest.raises(ModelMissing, match="has not been downloaded"):
        open_store(locked).resolve("big")


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    files = (ModelFile.model_validate(pin("a/b.bin", CONTENT)),)
    locked = LockedModel(repository="lab/big", folder="x", revision=COMMIT, files=files, source_files=files)
    save_lock(tmp_path, load_lock(tmp_path).with_pin("big", locked))
    save_lock(tmp_path, load_lock(tmp_path).with_pin("also", locked))
    assert load_lock(tmp_path).models == {"big": locked, "also": locked}
    assert [path.name for path in tmp_path.iterdir()] == ["lock.yaml"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"repository": "lab/other"}, r"pins 'big' to the repository lab/other, but models/manifest.yaml says lab/big"),
        ({"folder": "deep"}, r"pins 'big' to the folder deep, but models/manifest.yaml says None.*--update big"),
        ({"revision": "main"}, r"lock\.yaml: models\.big\.revision"),
        ({"files": []}, r"lock\.yaml: models\.big\.files"),
        ({"files": [pin("../x", CONTENT)]}, r"files\.0\.path: .*relative path"),
        ({"note": "x"}, r"models\.big\.note: unknown key"),
    ],
)
def test_a_pin_that_cannot_hold_is_refused_by_the_models_name(locked: Path, changes: dict[str, Any], told: str) -> None:
    write_lock(locked, **changes)
    with pytest.raises(LockInvalid, match=told):
        open_store(locked)


def test_a_pin_against_the_manifests_own_is_refused(locked: Path) -> None:
    entry = describe(source={**repository("lab/big")["source"], "revision": "2" * 40}, files=[pin("a", CONTENT)])
    write_manifest(locked, big=entry)
    with pytest.raises(LockInvalid, match=f"the revision {COMMIT}, but models/manifest.yaml says {'2' * 40}"):
        open_store(locked)


def test_a_pin_of_a_shipped_model_is_refused(locked: Path) -> None:
    write_manifest(locked, big=describe())
    with pytest.raises(LockInvalid, match="does not take from a model repository"):
        open_store(locked)


def test_a_pin_of_a_model_that_is_gone_from_the_manifest_is_passed_over(locked: Path) -> None:
    write_manifest(locked, small=describe())
    assert list(open_store(locked).manifest.models) == ["small"]


@pytest.mark.parametrize("content", ["models: [", "words", "models: 3"])
def test_a_broken_lock_is_named(locked: Path, content: str) -> None:
    (locked / "lock.yaml").write_text(content)
    with pytest.raises(LockInvalid, match=r"lock\.yaml"):
        open_store(locked)
