"""Models that are converted when downloaded: the demo Llama from a hub on loopback, as the 1 B Llama from the real one."""

from pathlib import Path

import pytest
import yaml

from models.store import ModelState, open_store
from tests.models.conftest import Site, repository, write_manifest

pytestmark = pytest.mark.unit

DEMO = Path(__file__).parents[2] / "models" / "demo" / "language_model"
SOURCE = ["config.json", "generation_config.json", "model*.safetensors", "tokenizer.json", "tokenizer_config.json"]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def llama(site: Site) -> Site:
    """A site whose manifest has `small-llama`, converted."""
    site.hub.add("meta/small-llama", contents(DEMO / "hf"))
    entry = repository(
        "meta/small-llama", stage="llm", include=SOURCE, extras=["LICENSE*"], convert="python -m scripts.convert_llama"
    )
    write_manifest(site.root, small_llama=entry)
    return site


def test_the_result_is_in_place_pinned_and_the_source_is_gone(llama: Site) -> None:
    assert llama.download("small-llama") == []
    assert llama.files("small-llama") == contents(DEMO / "ct2")
    pin = llama.pin("small-llama")
    assert {file["path"] for file in pin["files"]} == set(contents(DEMO / "ct2"))
    assert {file["path"] for file in pin["source_files"]} == set(contents(DEMO / "hf"))
    assert open_store(llama.root).status("small-llama").state is ModelState.OK
    assert [path.name for path in (llama.root / "store" / ".downloads").iterdir()] == ["in-use"]


def test_another_site_with_the_lock_converts_to_the_same_bytes(llama: Site, tmp_path: Path) -> None:
    llama.download("small-llama")
    llama.hub.add("meta/small-llama", {"config.json": b"{}"}, label="second")
    other = Site(tmp_path / "other" / "models", llama.hub)
    other.root.mkdir(parents=True)
    for name in ("manifest.yaml", "lock.yaml"):
        (other.root / name).write_bytes((llama.root / name).read_bytes())
    assert other.download("small-llama") == []
    assert other.files("small-llama") == contents(DEMO / "ct2")


def test_a_damaged_result_is_made_again(llama: Site) -> None:
    llama.download("small-llama")
    (llama.root / "store" / "small-llama" / "model.bin").write_bytes(b"x")
    assert llama.download("small-llama") == []
    assert llama.files("small-llama") == contents(DEMO / "ct2")


def test_an_interrupted_conversion_is_repeated_without_another_download(llama: Site) -> None:
    llama.hub.add("meta/small-llama", {**contents(DEMO / "hf"), "config.json": b"{}"}, label="broken")
    (failure,) = llama.download("small-llama")
    assert "`python -m scripts.convert_llama` failed" in failure
    assert llama.files("small-llama") == {}
    assert llama.pin("small-llama") is None
    llama.hub.add("meta/small-llama", contents(DEMO / "hf"), label="mended")
    llama.hub.requests.clear()
    assert llama.download("small-llama") == []
    assert llama.hub.got("model.safetensors") == []
    assert llama.files("small-llama") == contents(DEMO / "ct2")


def test_a_result_other_than_the_locks_is_not_used(llama: Site) -> None:
    llama.download("small-llama")
    lock = yaml.safe_load((llama.root / "lock.yaml").read_text())
    (entry,) = [file for file in lock["models"]["small-llama"]["files"] if file["path"] == "model.bin"]
    entry["sha256"] = "0" * 64
    (llama.root / "lock.yaml").write_text(yaml.safe_dump(lock))
    (failure,) = llama.download("small-llama")
    assert "the conversion's model.bin differs from models/lock.yaml" in failure
    assert "--update small-llama" in failure
    assert llama.download("small-llama", update=("small-llama",)) == []
    assert open_store(llama.root).status("small-llama").state is ModelState.OK


def test_the_disk_must_hold_source_and_result(llama: Site) -> None:
    from models.errors import DiskTooSmall

    llama.hub.repositories["meta/small-llama"].sizes["model.safetensors"] = 10**16
    with pytest.raises(
        DiskTooSmall, match=r"needs 160000\d\d\.\d GB in .*, 6000\d\d\d\.\d GB of it for the conversion"
    ):
        llama.download("small-llama")
