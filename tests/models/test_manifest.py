"""The manifest's schema: what it refuses, and that the one in the repository is valid."""

from pathlib import Path
from typing import Any

import pytest

from models.errors import ManifestInvalid, ModelUnknown
from models.manifest import Repository, load_manifest
from models.store import open_store
from tests.models.conftest import describe, pin, repository, write_manifest

pytestmark = pytest.mark.unit

HASH = "0" * 64
WHEEL = {"kind": "wheel", "package": "p", "version": "1", "member": "p/data/a.onnx", "command": "c"}


def test_repository_manifest_names_a_model_for_every_stage_of_the_demo() -> None:
    store = open_store()
    stages = {store.manifest.find(name).stage for name in store.names_for("demo")}
    assert stages == {"vad", "stt", "turn", "llm", "tts", "interruption"}


def test_every_model_of_the_demo_is_pinned() -> None:
    store = open_store()
    assert all(store.manifest.find(name).pinned for name in store.names_for("demo"))


def test_unknown_model_names_the_known_ones() -> None:
    with pytest.raises(ModelUnknown, match=r"'demo-sst'.*demo-stt"):
        open_store().manifest.find("demo-sst")


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"checksum": HASH}, r"models\.a\.checksum: unknown key"),
        ({"files": [{**pin("a", b"x"), "md5": "x"}]}, r"files\.0\.md5: unknown key"),
        ({"source": {"kind": "shipped", "folder": "demo/a", "url": "x"}}, r"source\.shipped\.url: unknown key"),
        ({"stage": "asr"}, r"models\.a\.stage"),
        ({"profiles": ["laptop"]}, r"models\.a\.profiles\.0"),
        ({"licence": " "}, r"models\.a\.licence"),
        ({"files": []}, "at least one"),
        ({"files": [pin("a", b"x"), pin("a", b"y")]}, "listed twice"),
        ({"files": [{"path": "a", "size": 1, "sha256": "abc"}]}, r"files\.0\.sha256"),
        ({"files": [{"path": "a", "size": 0, "sha256": HASH}]}, r"files\.0\.size"),
        ({"files": [pin("../a", b"x")]}, "relative path"),
        ({"files": [pin("/a", b"x")]}, "relative path"),
        ({"source": {"kind": "shipped", "folder": "../elsewhere"}}, "relative path"),
        ({"source": WHEEL, "files": [pin("b.onnx", b"x")]}, "exactly the wheel's member"),
        ({"source": {"kind": "repository", "repository": "o/n", "command": "c"}}, "revision and files, or neither"),
        ({**repository("o/n", include=["../*"])}, r"include\.0: .*relative path"),
        ({"instead_of": "b"}, r"models\.a\.instead_of: must name a model of the same stage"),
        ({"instead_of": "a"}, r"models\.a\.instead_of"),
    ],
)
def test_bad_entry_is_refused_by_its_key(tmp_path: Path, changes: dict[str, Any], key: str) -> None:
    path = write_manifest(tmp_path, a=describe(**changes))
    with pytest.raises(ManifestInvalid, match=key):
        load_manifest(path)


def test_every_downloaded_model_says_what_an_engine_needs_of_it() -> None:
    models = open_store().manifest.models
    sources = {name: model.source for name, model in models.items() if isinstance(model.source, Repository)}
    assert {name for name, source in sources.items() if source.include == ("*",)} == set()
    assert {name for name, source in sources.items() if f"--only {name}" not in source.command} == set()


def test_missing_key_is_named(tmp_path: Path) -> None:
    entry = describe()
    del entry["licence"]
    with pytest.raises(ManifestInvalid, match=r"manifest\.yaml: models\.a\.licence: Field required"):
        load_manifest(write_manifest(tmp_path, a=entry))


@pytest.mark.parametrize("content", ["models: [", "just words", "", "models:\n  'Bad Name': {}\n"])
def test_anything_else_is_refused_by_the_files_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ManifestInvalid, match=r"manifest\.yaml"):
        load_manifest(path)


def test_absent_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestInvalid, match=r"manifest\.yaml: cannot be read"):
        load_manifest(tmp_path / "manifest.yaml")
