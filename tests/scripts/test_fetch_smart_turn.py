"""Getting a model from a wheel that is complete, wrong, damaged or missing."""

import zipfile
from pathlib import Path
from typing import Any

import pytest

from models.errors import ChecksumMismatch, ModelMissing
from models.manifest import WheelMember
from models.store import ModelStore, open_store
from models.wheel import download_wheel
from scripts.fetch_smart_turn import MODEL, fetch
from tests.models.conftest import describe, pin, write_manifest

pytestmark = pytest.mark.unit

CONTENT = b"pretend this is onnx"
MEMBER = "tiny/data/turn.onnx"
WHEEL_NAME = "tiny_wheel-1.0-py3-none-any.whl"


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    root = tmp_path / "models"
    root.mkdir()
    source = {"kind": "wheel", "package": "tiny-wheel", "version": "1.0", "member": MEMBER, "command": "fetch"}
    entry: dict[str, Any] = describe(stage="turn", source=source, files=[pin("turn.onnx", CONTENT)])
    write_manifest(root, smart_turn=entry)
    return open_store(root)


def make_wheel(folder: Path, content: bytes = CONTENT, member: str = MEMBER) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / WHEEL_NAME
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, content)
    return path


def stored(store: ModelStore) -> list[str]:
    folder = store.root / "store" / MODEL
    return [path.name for path in folder.iterdir()] if folder.exists() else []


def test_right_member_is_stored_whole(store: ModelStore, tmp_path: Path) -> None:
    folder = fetch(store, MODEL, wheel=make_wheel(tmp_path / "wheels"))
    assert folder == store.root / "store" / MODEL
    assert (folder / "turn.onnx").read_bytes() == CONTENT
    assert stored(store) == ["turn.onnx"]


def test_wheel_in_the_cache_is_used_without_a_download(store: ModelStore, tmp_path: Path) -> None:
    make_wheel(tmp_path / ".cache" / "wheels")
    assert fetch(store, MODEL) == store.resolve(MODEL)


def test_second_time_needs_no_wheel(store: ModelStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wheel = make_wheel(tmp_path / "wheels")
    fetch(store, MODEL, wheel=wheel)
    wheel.unlink()
    fetch(store, MODEL, wheel=wheel)
    assert "already there" in capsys.readouterr().out


def test_damaged_file_in_the_store_is_replaced(store: ModelStore, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "wheels")
    (fetch(store, MODEL, wheel=wheel) / "turn.onnx").write_bytes(b"broken")
    fetch(store, MODEL, wheel=wheel)
    assert store.resolve(MODEL)


@pytest.mark.parametrize("content", [b"pretend this is ONNX", b"another length"])
def test_wrong_bytes_are_refused_and_nothing_is_written(store: ModelStore, tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ChecksumMismatch, match=r"turn\.onnx in .* is not the pinned file"):
        fetch(store, MODEL, wheel=make_wheel(tmp_path / "wheels", content))
    assert stored(store) == []


def test_missing_member_is_named(store: ModelStore, tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=r"has no member tiny/data/turn\.onnx"):
        fetch(store, MODEL, wheel=make_wheel(tmp_path / "wheels", member="tiny/other"))


def test_broken_archive_is_named(store: ModelStore, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "wheels")
    wheel.write_bytes(wheel.read_bytes()[:-10])
    with pytest.raises(ChecksumMismatch, match=r"whl is damaged"):
        fetch(store, MODEL, wheel=wheel)


def test_absent_wheel_is_named(store: ModelStore, tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=r"does not exist"):
        fetch(store, MODEL, wheel=tmp_path / "none.whl")


def test_offline_says_what_to_bring_and_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # what pip sees on a machine without a network, without waiting for it
    source = WheelMember(kind="wheel", package="tiny-wheel", version="1.0", member=MEMBER, command="fetch")
    with pytest.raises(ModelMissing) as caught:
        download_wheel(source, cache=tmp_path / "cache", target=tmp_path / "store" / "turn.onnx")
    for needed in ("tiny-wheel==1.0", str(tmp_path / "cache"), MEMBER, str(tmp_path / "store" / "turn.onnx")):
        assert needed in str(caught.value)
