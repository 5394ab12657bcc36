"""Models and recordings that several contract suites share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.store import open_store
from scripts.paths import REAL_SPEECH
from serving.vad.silero import SileroOptions, SileroVad


@pytest.fixture(scope="module")
def vad() -> Iterator[SileroVad]:
    """The VAD engine, loaded."""
    vad = SileroVad(SileroOptions(), open_store().resolve("silero-vad"))
    vad.load()
    yield vad
    vad.close()


@pytest.fixture(scope="module")
def stt_dir() -> Path:
    """The demo STT model's folder."""
    return open_store().resolve("demo-stt")


@pytest.fixture(scope="module")
def real_speech() -> Path:
    """Recordings of people, which are not part of the project."""
    if not REAL_SPEECH.is_dir():
        pytest.skip(f"no recordings of people beside the project ({REAL_SPEECH})")
    return REAL_SPEECH
