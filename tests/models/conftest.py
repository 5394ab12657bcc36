"""A small store for each test, the real one for reading, and a hub on loopback to download from."""

import hashlib
import io
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from models.download import Download
from models.hub import Hub
from models.progress import Display
from models.store import ModelStore, open_store
from tests.models.loopback_hub import LoopbackHub, running

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


@pytest.fixture(autouse=True)
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other test modules import agent/operate/offline.py, which switches downloads off."""
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.delenv("TRANSFORMERS_OFFLINE", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A models/ folder with one complete model, `some-model`, and its manifest."""
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


WEIGHTS = random.Random(7).randbytes(2_500_000)
"""Longer than two of a download's chunks."""
WHISPER = {
    "config.json": b'{"a": 1}',
    "model.bin": WEIGHTS,
    "vocabulary.txt": b"the\nof\n",
    "README.md": b"# A model",
    "LICENSE": b"MIT",
    "original/model.bin": b"not wanted",
}


def repository(name: str, **options: Any) -> dict[str, Any]:
    """The manifest entry of a downloadable model."""
    source = {"kind": "repository", "repository": name, "command": "scripts/download_models.sh"}
    model = {"profiles": ["cpu"], "files": []}
    for key, value in options.items():
        (model if key in ("stage", "profiles", "licence", "instead_of") else source)[key] = value
    return describe(source=source, **model)


@dataclass
class Site:
    """A models/ folder with downloadable models in its manifest, none of them downloaded yet."""

    root: Path
    hub: LoopbackHub
    token: str | None = None
    shown: str = ""

    def download(self, *names: str, update: tuple[str, ...] = ()) -> list[str]:
        """Run the command once; returns its failures as text."""
        console = Console(file=io.StringIO(), width=200)
        with Display(console) as display:
            run = Download(open_store(self.root, unpin=update), Hub(self.hub.url, self.token), display, update=update)
            run.run(names)
        assert isinstance(console.file, io.StringIO)
        self.shown = console.file.getvalue()
        return [str(failure) for failure in run.failures]

    def files(self, name: str) -> dict[str, bytes]:
        """The contents of the model's final folder."""
        folder = self.root / "store" / name
        paths = [path for path in folder.rglob("*") if path.is_file()]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}

    def partials(self) -> list[Path]:
        """Files in the staging area."""
        return sorted((self.root / "store" / ".downloads").rglob("*.partial"))

    def pin(self, name: str) -> Any:
        """The model's entry in the lock; None if it has none."""
        path = self.root / "lock.yaml"
        return yaml.safe_load(path.read_text())["models"].get(name) if path.exists() else None


@pytest.fixture
def hub() -> Iterator[LoopbackHub]:
    """A hub on loopback with a Whisper, a voice and a gated Llama."""
    hub = LoopbackHub()
    hub.add("lab/whisper", WHISPER)
    card = b"# Model card\n* Speakers: 1\n## Dataset\n* License: for research only\n"
    hub.add("lab/voices", {"en/amy/amy.onnx": WEIGHTS[:5000], "en/amy/MODEL_CARD": card, "de/otto/otto.onnx": b"other"})
    hub.add("meta/llama", {"config.json": b"{}", "model.safetensors": WEIGHTS[:4000]}, gated=True)
    with running(hub):
        yield hub


@pytest.fixture
def site(tmp_path: Path, hub: LoopbackHub) -> Site:
    """A manifest of `whisper`, `amy` and `llama`, and the hub that has them."""
    root = tmp_path / "models"
    root.mkdir()
    write_manifest(
        root,
        whisper=repository("lab/whisper", include=["config.json", "model.bin", "vocabulary.*"], extras=["LICENSE*"]),
        amy=repository("lab/voices", stage="tts", folder="en/amy", include=["amy.onnx", "MODEL_CARD"]),
        llama=repository(
            "meta/llama", stage="llm", gate="accept", licence="Llama Community", include=["*.safetensors"]
        ),
    )
    return Site(root, hub)
