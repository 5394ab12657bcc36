"""A small store of its own for each test, and a real one for reading."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.store import ModelStore, open_store

FILES = {"model.bin": b"weights " * 1000, "config.json": b"{}"}


def pin(path: str, content: bytes) -> dict[str, Any]:
    """A manifest's line about a file."""
    return {"path": path, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def describe(**changes: Any) -> dict[str, Any]:
    """A valid shipped model's entry, with changes."""
    entry = {
        "stage": "stt",
        "title": "A model",
        "licence": "MIT",
        "profiles": ["demo"],
        "source": {"kind": "shipped", "folder": "demo/some_model"},
        "files": [pin(path, content) for path, content in FILES.items()],
    }
    return {**entry, **changes}


def write_manifest(root: Path, **models: Any) -> Path:
    """models/manifest.yaml with these entries; underscores in names become dashes."""
    path = root / "manifest.yaml"
    entries = {name.replace("_", "-"): entry for name, entry in models.items()}
    path.write_text(yaml.safe_dump({"models": entries}), encoding="utf-8")
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A models/ folder with one whole model, `some-model`, and its manifest."""
    root = tmp_path / "models"
    folder = root / "demo" / "some_model"
    folder.mkdir(parents=True)
    for path, content in FILES.items():
        (folder / path).write_bytes(content)
    write_manifest(root, some_model=describe())
    return root


@pytest.fixture
def store(root: Path) -> ModelStore:
    """A store over `root`."""
    return open_store(root)
