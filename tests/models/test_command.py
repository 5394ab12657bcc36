"""`python -m models verify`."""

from pathlib import Path

import pytest

import models.__main__
from models.store import ModelStore

pytestmark = pytest.mark.unit


@pytest.fixture
def own_store(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> ModelStore:
    monkeypatch.setattr(models.__main__, "open_store", lambda: store)
    return store


@pytest.mark.usefixtures("own_store")
def test_whole_models_are_a_table_and_status_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert models.__main__.main(["verify"]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["model", "stage", "status", "size", "profiles", "licence"]
    assert row.split() == ["some-model", "stt", "ok", "0.0", "MB", "demo", "MIT"]


@pytest.mark.usefixtures("own_store")
def test_damaged_model_is_status_1_and_says_what_to_do(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "demo" / "some_model" / "model.bin").write_bytes(b"")
    assert models.__main__.main(["verify"]) == 1
    assert "git checkout" in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "status"), [(["verify"], 0), (["verify", "--profile", "demo"], 1)])
@pytest.mark.usefixtures("own_store")
def test_missing_model_matters_only_to_a_profile_that_needs_it(root: Path, arguments: list[str], status: int) -> None:
    (root / "demo" / "some_model" / "model.bin").unlink()
    assert models.__main__.main(arguments) == status


def test_broken_manifest_is_told_without_a_traceback(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "manifest.yaml").write_text("models: 3", encoding="utf-8")
    monkeypatch.setattr(models.__main__, "open_store", lambda: models.store.open_store(root))
    assert models.__main__.main(["verify"]) == 1
