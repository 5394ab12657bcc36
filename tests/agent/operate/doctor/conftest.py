"""A checkout of its own for each test, with the demo's settings and a store of one small model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.operate.doctor.checksums import OnceReadStore
from agent.operate.doctor.installation import Installation
from agent.settings import EngineChoice, Network, Settings, load_settings
from models.store import OnBytes, open_store
from tests.models.conftest import FILES, describe, write_manifest

Install = Callable[..., Installation]


def unwatched(name: str, size: int) -> OnBytes:
    """For whoever does not look at the progress."""
    return lambda count: None


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("agent.settings.ROOT", tmp_path)  # where .env would be
    monkeypatch.setenv("CALLBOX_SITE", str(tmp_path / "site.yaml"))
    for name in ("CALLBOX_ADDRESS", "CALLBOX_MODELS", "LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def store(tmp_path: Path) -> OnceReadStore:
    """One whole model, `some-model`, of the profile demo."""
    root = tmp_path / "models"
    folder = root / "demo" / "some_model"
    folder.mkdir(parents=True)
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    write_manifest(root, some_model=describe())
    opened = open_store(root)
    return OnceReadStore(root=opened.root, manifest=opened.manifest, on_model=unwatched)


@pytest.fixture
def settings() -> Settings:
    """The demo's."""
    return load_settings("demo")


def with_models(settings: Settings, *names: str) -> Settings:
    """The same, with these models for recognition, language and speech instead."""
    model = iter(names)
    changes = {stage: EngineChoice(engine="none", model=next(model)) for stage in ("stt", "llm", "tts")}
    engines = settings.engines.model_copy(update={**changes, "vad": changes["stt"], "turn": None, "interruption": None})
    return settings.model_copy(update={"engines": engines})


@pytest.fixture
def install(tmp_path: Path, store: OnceReadStore, settings: Settings) -> Install:
    """Makes an installation; `network` changes its settings, other keywords change itself."""

    def make(*, network: Network | None = None, **changes: Any) -> Installation:
        chosen = with_models(settings, *["some-model"] * 3)
        chosen = chosen if network is None else chosen.model_copy(update={"network": network})
        fields: dict[str, Any] = {
            "root": tmp_path,
            "cache": tmp_path / ".cache",
            "profile": "demo",
            "known_settings": chosen,
            "known_store": store,
        }
        return Installation(**(fields | changes))

    return make
