"""The demo's voice, loaded once."""

from collections.abc import Iterator

import pytest

from models.store import open_store
from serving.tts.piper import PiperEngine, PiperOptions
from tests.scripted import ROOM_RATE


@pytest.fixture(scope="session")
def demo_tts() -> Iterator[PiperEngine]:
    """The voice that the agent of these tests has."""
    engine = PiperEngine(PiperOptions(room_rate=ROOM_RATE), open_store().resolve("demo-voice"))
    engine.load()
    yield engine
    engine.close()
