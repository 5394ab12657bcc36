"""Smart Turn judges the same on a GPU as on the CPU."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.errors import ModelMissing
from models.store import open_store
from serving.audio import Pcm32
from serving.speech import EndOfTurn, TurnContext
from serving.turn.smart_turn import SmartTurn, SmartTurnOptions
from tests.contract.test_turn import level
from tests.gpu.device import DEVICE, Device

pytestmark = pytest.mark.gpu

CALLERS = Path(__file__).parents[2] / "models" / "demo" / "callers"


@pytest.fixture(scope="module")
def recordings() -> list[Pcm32]:
    """Some lines of the demo's callers, with a pause."""
    return [level(soundfile.read(path, dtype="float32")[0]) for path in sorted((CALLERS / "rms").glob("*.flac"))[:24]]


async def judged(device: Device, recordings: list[Pcm32]) -> list[EndOfTurn]:
    """The verdicts of an engine on that device."""
    try:
        folder = open_store().resolve("smart-turn")
    except ModelMissing as error:
        pytest.skip(str(error))
    engine = SmartTurn(SmartTurnOptions(device=device), folder)
    engine.load()
    engine.warm_up()
    verdicts = [await engine.predict(samples, TurnContext()) for samples in recordings]
    engine.close()
    return verdicts


async def test_the_same_judgements(recordings: list[Pcm32]) -> None:
    """The network is quantized, and a GPU rounds in another order, so single verdicts may differ."""
    expected, found = await judged("cpu", recordings), await judged(DEVICE, recordings)
    apart = [abs(a.probability - b.probability) for a, b in zip(expected, found, strict=True)]
    assert np.median(apart) < 0.1
    same = [(a.probability >= 0.5) == (b.probability >= 0.5) for a, b in zip(expected, found, strict=True)]
    assert np.mean(same) >= 0.85
