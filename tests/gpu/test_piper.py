"""The demo voice speaks the same on a GPU as on the CPU."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from scripts.bench.tts import REPLIES, speak
from serving.tts.piper import PiperEngine, PiperOptions
from tests.gpu.device import DEVICE, Device

pytestmark = pytest.mark.gpu

VOICE = Path(__file__).parents[2] / "models" / "demo" / "text_to_speech"


def loaded(device: Device) -> PiperEngine:
    """A warm engine without variation, so that a text sounds the same every time."""
    engine = PiperEngine(PiperOptions(device=device, noise_scale=0.0, noise_w=0.0, cache_s=0.0), VOICE)
    engine.load()
    engine.warm_up()
    engine.check()
    return engine


@pytest.fixture(scope="module")
def engines() -> Iterator[tuple[PiperEngine, PiperEngine]]:
    """One on the CPU, and one where the suite runs."""
    both = loaded("cpu"), loaded(DEVICE)
    yield both
    for engine in both:
        engine.close()


@pytest.mark.parametrize("pieces", REPLIES)
async def test_the_same_sound_and_word_times(engines: tuple[PiperEngine, PiperEngine], pieces: tuple[str, ...]) -> None:
    (_, expected, words), (_, found, found_words) = [await speak(engine, pieces) for engine in engines]
    assert [word.text for word in found_words] == [word.text for word in words]
    assert abs(len(found) - len(expected)) <= 0.02 * len(expected)
    for word, found_word in zip(words, found_words, strict=True):
        assert abs(word.start_s - found_word.start_s) < 0.06
    if len(found) == len(expected):
        assert np.corrcoef(found.astype(float), expected.astype(float))[0, 1] > 0.95
