"""The end-of-turn engine on its real model."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import soundfile

from models.errors import ModelMissing
from models.store import open_store
from serving.audio import Pcm32
from serving.errors import EngineDied, EngineLoadFailed
from serving.speech import TurnContext
from serving.turn.log_mel import log_mel
from serving.turn.smart_turn import SmartTurn, SmartTurnOptions

pytestmark = pytest.mark.contract

CALLERS = Path(__file__).parents[2] / "models" / "demo" / "callers"
CONTEXT = TurnContext()
PAUSE = np.zeros(3_200, dtype=np.float32)


@pytest.fixture(scope="module")
def folder() -> Path:
    """Smart Turn's folder in the store."""
    try:
        return open_store().resolve("smart-turn")
    except ModelMissing as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[SmartTurn]:
    """A loaded engine."""
    engine = SmartTurn(SmartTurnOptions(), folder)
    engine.load()
    engine.warm_up()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def lines() -> list[Pcm32]:
    """What the demo's caller of the best voice says, trimmed to the sound."""
    found = [soundfile.read(path, dtype="float32")[0] for path in sorted((CALLERS / "rms").glob("*.flac"))]
    assert found, f"no recordings in {CALLERS / 'rms'}"
    return found


def level(samples: Pcm32) -> Pcm32:
    """With a quiet line's noise, and 200 ms of it after the last sound."""
    whole = np.concatenate([samples, PAUSE])
    return np.asarray(whole + np.random.default_rng(1).normal(0, 8e-4, len(whole)), dtype=np.float32)


async def test_a_judgement_is_a_probability_with_its_time(engine: SmartTurn, lines: list[Pcm32]) -> None:
    verdict = await engine.predict(level(lines[0]), CONTEXT)
    assert 0.0 <= verdict.probability <= 1.0
    assert verdict.inference_s > 0.0


async def test_most_finished_lines_are_judged_finished(engine: SmartTurn) -> None:
    finished = []
    for voice in ("awb", "kal16"):
        for path in sorted((CALLERS / voice).glob("*.flac")):
            samples, _ = soundfile.read(path, dtype="float32")
            finished.append((await engine.predict(level(samples), CONTEXT)).probability >= 0.5)
    assert len(finished) > 40
    assert np.mean(finished) > 0.6


async def test_float_attention_stays_close_to_the_published_network(
    engine: SmartTurn, folder: Path, lines: list[Pcm32]
) -> None:
    published = onnxruntime.InferenceSession(str(folder / SmartTurnOptions().file))
    differences = []
    for line in lines[:12]:
        (expected,) = published.run(None, {"input_features": log_mel(level(line))[None]})
        differences.append(abs((await engine.predict(level(line), CONTEXT)).probability - float(expected[0, 0])))
    assert np.median(differences) < 0.1


async def test_audio_before_the_window_does_not_matter(engine: SmartTurn, lines: list[Pcm32]) -> None:
    long = np.concatenate([level(line) for line in lines[:12]])
    assert len(long) > engine.window_s * 16_000
    recent = long[-round(engine.window_s * 16_000) :]
    assert (await engine.predict(long, CONTEXT)).probability == (await engine.predict(recent, CONTEXT)).probability


async def test_many_calls_at_once_get_the_answers_they_get_alone(engine: SmartTurn, lines: list[Pcm32]) -> None:
    alone = [(await engine.predict(level(line), CONTEXT)).probability for line in lines[:6]]
    together = await asyncio.gather(*(engine.predict(level(line), CONTEXT) for line in lines[:6]))
    assert [verdict.probability for verdict in together] == alone


async def test_the_caller_may_reuse_its_buffer(engine: SmartTurn, lines: list[Pcm32]) -> None:
    buffer = level(lines[0])
    expected = (await engine.predict(buffer, CONTEXT)).probability
    pending = asyncio.ensure_future(engine.predict(buffer, CONTEXT))
    await asyncio.sleep(0)
    buffer[:] = 0.0
    assert (await pending).probability == expected


@pytest.mark.parametrize("length", [0, 1, 100])
async def test_hardly_any_audio_is_judged_all_the_same(engine: SmartTurn, length: int) -> None:
    assert 0.0 <= (await engine.predict(np.zeros(length, dtype=np.float32), CONTEXT)).probability <= 1.0


def test_a_missing_file_names_the_command_that_gets_it(tmp_path: Path) -> None:
    with pytest.raises(EngineLoadFailed, match="make turn-model"):
        SmartTurn(SmartTurnOptions(), tmp_path).load()


def test_a_broken_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / SmartTurnOptions().file).write_bytes(b"not a network")
    with pytest.raises(EngineLoadFailed, match=SmartTurnOptions().file):
        SmartTurn(SmartTurnOptions(), tmp_path).load()


async def test_closed_it_says_so_and_loads_again(folder: Path) -> None:
    engine = SmartTurn(SmartTurnOptions(), folder)
    engine.load()
    engine.check()
    engine.close()
    engine.close()
    with pytest.raises(EngineDied):
        await engine.predict(PAUSE, CONTEXT)
    with pytest.raises(EngineDied):
        engine.check()
    engine.load()
    engine.check()
    engine.close()
