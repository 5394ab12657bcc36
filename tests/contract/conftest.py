"""Models that several contract suites share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.store import open_store
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
