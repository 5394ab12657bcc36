"""The store: complete models resolve, anything else is refused, naming the file."""

import subprocess
import sys
from pathlib import Path

import pytest

from models.errors import ChecksumMismatch, ModelMissing, ModelUnknown
from models.store import ModelState, ModelStore, open_store
from tests.models.conftest import FILES, describe, pin, repository, write_manifest

pytestmark = pytest.mark.unit

SHIPPED = ("demo-stt", "demo-llm", "demo-llm-hf", "demo-voice", "callbox-interruption")


@pytest.mark.parametrize("name", [*SHIPPED, "silero-vad"])
def test_every_byte_that_a_fresh_checkout_has_is_as_pinned(name: str) -> None:
    store = open_store()
    folder = store.resolve(name)
    assert {file.path for file in store.manifest.find(name).files} <= {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_folders_hold_no_weights_that_the_manifest_does_not_know(name: str) -> None:
    store = open_store()
    model, folder = store.manifest.find(name), store.folder(name)
    found = {path.name for path in folder.iterdir() if path.is_file() and path.name not in {"README.md", "__init__.py"}}
    assert found == {file.path for file in model.files}


def test_whole_model_resolves_to_its_folder(store: ModelStore, root: Path) -> None:
    assert store.resolve("some-model") == root / "demo" / "some_model"
    assert store.status("some-model").state is ModelState.OK


@pytest.mark.parametrize("position", [0, 4000, len(FILES["model.bin"]) - 1])
def test_one_flipped_bit_is_refused_by_the_files_name(store: ModelStore, root: Path, position: int) -> None:
    path = root / "demo" / "some_model" / "model.bin"
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    with pytest.raises(ChecksumMismatch, match=r"models/demo/some_model/model\.bin has the SHA-256 .*, not "):
        store.resolve("some-model")
    assert store.status("some-model").state is ModelState.DAMAGED


def test_truncated_file_is_refused_by_its_name_and_size(store: ModelStore, root: Path) -> None:
    path = root / "demo" / "some_model" / "model.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ChecksumMismatch, match=r"model\.bin has 7999 bytes, not 8000.*git checkout"):
        store.resolve("some-model")


def test_restored_file_is_accepted_again(store: ModelStore, root: Path) -> None:
    path = root / "demo" / "some_model" / "config.json"
    path.write_bytes(b"[]")
    with pytest.raises(ChecksumMismatch, match=r"config\.json"):
        store.resolve("some-model")
    path.write_bytes(FILES["config.json"])
    assert store.resolve("some-model") == path.parent


def test_missing_file_names_itself_and_the_command(store: ModelStore, root: Path) -> None:
    (root / "demo" / "some_model" / "config.json").unlink()
    with pytest.raises(ModelMissing, match=r"some_model/config\.json is not on this machine\..*git checkout"):
        store.resolve("some-model")
    assert store.status("some-model").state is ModelState.MISSING


def test_folder_in_the_place_of_a_file_counts_as_missing(store: ModelStore, root: Path) -> None:
    path = root / "demo" / "some_model" / "config.json"
    path.unlink()
    path.mkdir()
    with pytest.raises(ModelMissing, match=r"config\.json"):
        store.resolve("some-model")


def test_unknown_model(store: ModelStore) -> None:
    for call in (store.resolve, store.folder, store.status):
        with pytest.raises(ModelUnknown, match="some-model"):
            call("other")


def test_fetched_model_lies_in_the_store_and_names_its_command(root: Path) -> None:
    wheel = {"kind": "wheel", "package": "p", "version": "1", "member": "p/a.onnx", "command": "fetch it"}
    write_manifest(root, fetched=describe(source=wheel, files=[pin("a.onnx", b"onnx")]))
    store = open_store(root)
    with pytest.raises(ModelMissing, match=r"models/store/fetched/a\.onnx is not on this machine\. Run `fetch it`\."):
        store.resolve("fetched")
    (root / "store" / "fetched").mkdir(parents=True)
    (root / "store" / "fetched" / "a.onnx").write_bytes(b"onnx")
    assert store.resolve("fetched") == root / "store" / "fetched"


def test_unpinned_model_is_missing_whatever_lies_in_its_folder(root: Path) -> None:
    source = {"kind": "repository", "repository": "o/n", "command": "scripts/download_models.sh"}
    write_manifest(root, big=describe(source=source, files=[]))
    (root / "store" / "big").mkdir(parents=True)
    (root / "store" / "big" / "model.bin").write_bytes(b"anything")
    with pytest.raises(ModelMissing, match=r"scripts/download_models\.sh"):
        open_store(root).resolve("big")


def test_model_of_an_absent_package_names_the_package(root: Path) -> None:
    source = {"kind": "installed", "package": "no-such", "version": "1.0", "module": "no_such", "folder": "assets"}
    write_manifest(root, inside=describe(source=source))
    with pytest.raises(ModelMissing, match=r"no-such 1\.0"):
        open_store(root).resolve("inside")


def test_present_is_what_has_its_files_in_their_sizes(store: ModelStore, root: Path) -> None:
    path = root / "demo" / "some_model" / "model.bin"
    assert store.is_present("some-model")
    path.write_bytes(b"x" * len(FILES["model.bin"]))  # other bytes: presence is no verification
    assert store.is_present("some-model")
    path.write_bytes(b"x")
    assert not store.is_present("some-model")
    path.unlink()
    assert not store.is_present("some-model")


def test_what_is_not_pinned_or_not_installed_is_not_present(root: Path) -> None:
    source = {"kind": "installed", "package": "no-such", "version": "1.0", "module": "no_such", "folder": "assets"}
    write_manifest(root, big=repository("o/n"), inside=describe(source=source))
    (root / "store" / "big").mkdir(parents=True)
    store = open_store(root)
    assert not store.is_present("big")
    assert not store.is_present("inside")
    with pytest.raises(ModelUnknown):
        store.is_present("other")


def test_hashing_tells_how_far_it_is(store: ModelStore) -> None:
    told: list[int] = []
    store.resolve("some-model", told.append)
    assert sum(told) == store.manifest.find("some-model").size


def test_an_alternative_stands_in_only_where_the_model_itself_is_not_present(root: Path) -> None:
    shipped = {"kind": "shipped", "folder": "demo/large"}
    write_manifest(
        root,
        large=describe(profiles=["gpu"], source=shipped),
        some_model=describe(profiles=["gpu"], instead_of="large"),
        other=describe(profiles=["cpu"]),
    )
    store = open_store(root)
    assert store.names_for("gpu") == ("some-model",)
    (root / "demo" / "large").mkdir()
    for name, content in FILES.items():
        (root / "demo" / "large" / name).write_bytes(content)
    assert store.names_for("gpu") == ("large",)
    (root / "demo" / "some_model" / "model.bin").unlink()
    (root / "demo" / "large" / "model.bin").unlink()
    assert store.names_for("gpu") == ("large",)


def test_the_environment_can_name_another_root(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLBOX_MODELS", str(root))
    assert open_store().root == root


def test_finding_a_model_imports_no_inference_library() -> None:
    program = (
        "import sys; from models.store import open_store; open_store().resolve('silero-vad');"
        "print([name for name in ('faster_whisper', 'ctranslate2', 'onnxruntime', 'piper') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
