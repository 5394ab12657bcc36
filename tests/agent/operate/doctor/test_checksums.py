"""Every byte of the models, on a real store of the test's own."""

from pathlib import Path

import pytest

from agent.operate.doctor.checksums import OnceReadStore, check
from agent.operate.doctor.report import Outcome
from agent.settings import Settings
from models.errors import ChecksumMismatch
from models.store import OnBytes
from tests.agent.operate.doctor.conftest import Install, with_models
from tests.models.conftest import FILES

pytestmark = pytest.mark.unit


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Its largest file."""
    return tmp_path / "models" / "demo" / "some_model" / "model.bin"


def test_a_complete_model(install: Install) -> None:
    (row,) = check(install())
    assert (row.name, row.outcome, row.found) == ("model some-model", Outcome.OK, "0.0 MB in 2 files, as pinned")


def test_one_damaged_byte(install: Install, model: Path) -> None:
    content = bytearray(model.read_bytes())
    content[4000] ^= 1
    model.write_bytes(content)
    (row,) = check(install())
    assert row.outcome is Outcome.FAILED
    assert "model.bin has the SHA-256" in row.found
    assert "git checkout -- models/demo/some_model" in row.fix


def test_a_missing_file(install: Install, model: Path) -> None:
    model.unlink()
    (row,) = check(install())
    assert row.outcome is Outcome.FAILED
    assert "model.bin is not on this machine" in row.found


def test_a_model_is_read_once_and_its_bytes_are_reported(store: OnceReadStore, model: Path) -> None:
    told: list[tuple[str, int]] = []

    def on_model(name: str, size: int) -> OnBytes:
        told.append((name, size))
        return lambda count: told.append(("read", count))

    watched = OnceReadStore(root=store.root, manifest=store.manifest, on_model=on_model)
    folder = watched.resolve("some-model")
    model.write_bytes(b"changed since")
    assert watched.resolve("some-model") == folder
    total = sum(map(len, FILES.values()))
    assert told[0] == ("some-model", total)
    assert sum(count for _, count in told[1:]) == total


def test_what_was_wrong_stays_wrong(store: OnceReadStore, model: Path) -> None:
    content = model.read_bytes()
    model.write_bytes(content[:-1])
    for _ in range(2):
        with pytest.raises(ChecksumMismatch):
            store.resolve("some-model")
        model.write_bytes(content)


def test_a_model_that_the_manifest_does_not_know(install: Install, settings: Settings) -> None:
    chosen = with_models(settings, "some-model", "typo", "some-model")
    known, unknown = check(install(known_settings=chosen))
    assert known.outcome is Outcome.OK
    assert (unknown.name, unknown.outcome) == ("model typo", Outcome.FAILED)
    assert "No model is called 'typo'" in unknown.found


def test_without_settings_the_manifest_says_which_models_the_profile_needs(install: Install) -> None:
    (row,) = check(install(known_settings=None))
    assert row.name == "model some-model"
