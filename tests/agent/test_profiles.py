"""Which profile a box runs, and why."""

import hashlib
from pathlib import Path

import pytest
import yaml

from agent.profiles import Choice, choose_profile, settings_for
from models.store import ModelStore, open_store

pytestmark = pytest.mark.unit

CONTENT = b"weights"


def store_with(root: Path, *, there: set[str], needed: dict[str, list[str]]) -> ModelStore:
    """A store whose manifest lists `needed` models with their profiles, of which only some are there."""
    entries = {}
    for name, profiles in needed.items():
        folder = root / "demo" / name
        folder.mkdir(parents=True)
        if name in there:
            (folder / "model.bin").write_bytes(CONTENT)
        pin = {"path": "model.bin", "size": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest()}
        source = {"kind": "shipped", "folder": f"demo/{name}"}
        entries[name] = {
            "stage": "stt",
            "title": name,
            "licence": "MIT",
            "profiles": profiles,
            "source": source,
            "files": [pin],
        }
    (root / "manifest.yaml").write_text(yaml.safe_dump({"models": entries}))
    return open_store(root)


BOTH = {"large": ["gpu"], "small": ["cpu"], "shared": ["cpu", "gpu"]}


@pytest.mark.parametrize(
    ("there", "has_gpu", "profile"),
    [
        ({"large", "small", "shared"}, True, "gpu"),
        ({"large", "small", "shared"}, False, "cpu"),
        ({"small", "shared"}, True, "cpu"),
        ({"large", "shared"}, True, "gpu"),
        ({"large", "shared"}, False, "demo"),
        ({"large", "small"}, True, "demo"),
        (set(), True, "demo"),
    ],
)
def test_the_best_profile_whose_models_are_all_there(
    tmp_path: Path, there: set[str], has_gpu: bool, profile: str
) -> None:
    store = store_with(tmp_path, there=there, needed=BOTH)
    assert choose_profile(store, has_gpu=has_gpu).profile == profile


def test_a_damaged_model_does_not_count(tmp_path: Path) -> None:
    store = store_with(tmp_path, there=set(BOTH), needed=BOTH)
    (store.folder("large") / "model.bin").write_bytes(b"weighty")
    assert choose_profile(store, has_gpu=True).profile == "cpu"


def test_a_profile_that_no_model_belongs_to_is_not_taken_for_complete(tmp_path: Path) -> None:
    store = store_with(tmp_path, there={"small"}, needed={"small": ["cpu"]})
    assert choose_profile(store, has_gpu=True).profile == "cpu"


@pytest.mark.parametrize(
    ("there", "has_gpu", "reason"),
    [
        ({"large", "shared"}, True, "an NVIDIA device and the gpu profile's models are here"),
        ({"small", "shared"}, True, "the cpu profile's models are here"),
        ({"small", "shared"}, False, "the cpu profile's models are here, and no NVIDIA device is"),
        (set(), False, "no downloaded models are here"),
    ],
)
def test_the_reason_is_told(tmp_path: Path, there: set[str], has_gpu: bool, reason: str) -> None:
    store = store_with(tmp_path, there=there, needed=BOTH)
    choice = choose_profile(store, has_gpu=has_gpu)
    assert choice == Choice(choice.profile, reason)


def test_the_device_is_looked_for_unless_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_with(tmp_path / "models", there=set(BOTH), needed=BOTH)
    monkeypatch.setattr("agent.profiles.NVIDIA_DEVICE", tmp_path / "nvidia0")
    assert choose_profile(store).profile == "cpu"
    (tmp_path / "nvidia0").touch()
    assert choose_profile(store).profile == "gpu"


def test_a_profile_that_was_asked_for_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CALLBOX_SITE", str(tmp_path / "none.yaml"))
    assert settings_for("demo").profile == "demo"
