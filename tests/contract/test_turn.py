"""The end-of-turn engines with their real models: what both must do, and what each makes of its context."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime
import pytest
import soundfile

from models.errors import ModelMissing
from models.store import open_store
from serving.audio import Pcm32
from serving.engine import TurnEngine
from serving.errors import EngineDied, EngineLoadFailed
from serving.log_mel import normalised_log_mel
from serving.registry import find
from serving.speech import Asked, TurnContext
from serving.turn.callbox_turn import CallboxTurn, CallboxTurnOptions
from serving.turn.smart_turn import SmartTurn, SmartTurnOptions

pytestmark = pytest.mark.contract

CALLERS = Path(__file__).parents[2] / "models" / "demo" / "callers"
CONTEXT = TurnContext()
PAUSE = np.zeros(3_200, dtype=np.float32)


class Known(NamedTuple):
    """An engine of the registry and its model."""

    name: str
    file: str
    remedy: str

    def make(self, folder: Path) -> TurnEngine:
        """A new engine on a folder."""
        kind, options = find("turn", self.name).load()
        engine: TurnEngine = kind(options(), folder)
        return engine

    def folder(self) -> Path:
        """Its model's folder. Skips where it is missing."""
        try:
            return open_store().resolve(self.name)
        except ModelMissing as error:
            pytest.skip(str(error))


SMART_TURN = Known("smart-turn", SmartTurnOptions().file, "make turn-model")
CALLBOX_TURN = Known("callbox-turn", CallboxTurnOptions().file, "models verify")


@pytest.fixture(scope="module", params=[SMART_TURN, CALLBOX_TURN], ids=lambda known: known.name)
def known(request: pytest.FixtureRequest) -> Known:
    """Each of the engines."""
    chosen: Known = request.param
    return chosen


@pytest.fixture(scope="module")
def engine(known: Known) -> Iterator[TurnEngine]:
    """The engine, loaded."""
    engine = known.make(known.folder())
    engine.load()
    engine.warm_up()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def smart_turn() -> Iterator[SmartTurn]:
    """Smart Turn, loaded."""
    engine = SmartTurn(SmartTurnOptions(), SMART_TURN.folder())
    engine.load()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def callbox_turn() -> Iterator[CallboxTurn]:
    """Callbox's own, loaded."""
    engine = CallboxTurn(CallboxTurnOptions(), CALLBOX_TURN.folder())
    engine.load()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def lines() -> list[Pcm32]:
    """The lines of the demo caller with the best voice, trimmed."""
    found = [soundfile.read(path, dtype="float32")[0] for path in sorted((CALLERS / "rms").glob("*.flac"))]
    assert found, f"no recordings in {CALLERS / 'rms'}"
    return found


def level(samples: Pcm32) -> Pcm32:
    """The line with a quiet line's noise, 200 ms of it after the last sound."""
    whole = np.concatenate([samples, PAUSE])
    return np.asarray(whole + np.random.default_rng(1).normal(0, 8e-4, len(whole)), dtype=np.float32)


async def test_a_judgement_is_a_probability_with_its_time(engine: TurnEngine, lines: list[Pcm32]) -> None:
    verdict = await engine.predict(level(lines[0]), CONTEXT)
    assert 0.0 <= verdict.probability <= 1.0
    assert verdict.inference_s > 0.0


async def test_most_finished_lines_are_judged_finished(smart_turn: SmartTurn) -> None:
    finished = []
    for voice in ("awb", "kal16"):
        for path in sorted((CALLERS / voice).glob("*.flac")):
            samples, _ = soundfile.read(path, dtype="float32")
            finished.append((await smart_turn.predict(level(samples), CONTEXT)).probability >= 0.5)
    assert len(finished) > 40
    assert np.mean(finished) > 0.6


async def test_float_attention_stays_close_to_the_published_network(smart_turn: SmartTurn, lines: list[Pcm32]) -> None:
    published = onnxruntime.InferenceSession(str(SMART_TURN.folder() / SmartTurnOptions().file))
    differences = []
    for line in lines[:12]:
        (expected,) = published.run(None, {"input_features": normalised_log_mel(level(line), 800)[None]})
        differences.append(abs((await smart_turn.predict(level(line), CONTEXT)).probability - float(expected[0, 0])))
    assert np.median(differences) < 0.1


async def test_audio_before_the_window_does_not_matter(engine: TurnEngine, lines: list[Pcm32]) -> None:
    long = np.concatenate([level(line) for line in lines[:12]])
    assert len(long) > engine.window_s * 16_000
    recent = long[-round(engine.window_s * 16_000) :]
    assert (await engine.predict(long, CONTEXT)).probability == (await engine.predict(recent, CONTEXT)).probability


async def test_many_calls_at_once_get_the_answers_they_get_alone(engine: TurnEngine, lines: list[Pcm32]) -> None:
    alone = [(await engine.predict(level(line), CONTEXT)).probability for line in lines[:6]]
    together = await asyncio.gather(*(engine.predict(level(line), CONTEXT) for line in lines[:6]))
    assert [verdict.probability for verdict in together] == alone


async def test_the_caller_may_reuse_its_buffer(engine: TurnEngine, lines: list[Pcm32]) -> None:
    buffer = level(lines[0])
    expected = (await engine.predict(buffer, CONTEXT)).probability
    pending = asyncio.ensure_future(engine.predict(buffer, CONTEXT))
    await asyncio.sleep(0)
    buffer[:] = 0.0
    assert (await pending).probability == expected


@pytest.mark.parametrize("length", [0, 1, 100])
async def test_hardly_any_audio_is_judged_all_the_same(engine: TurnEngine, length: int) -> None:
    assert 0.0 <= (await engine.predict(np.zeros(length, dtype=np.float32), CONTEXT)).probability <= 1.0


def test_a_missing_file_names_the_command_that_helps(known: Known, tmp_path: Path) -> None:
    with pytest.raises(EngineLoadFailed, match=known.remedy):
        known.make(tmp_path).load()


def test_a_broken_file_is_refused_by_name(known: Known, tmp_path: Path) -> None:
    (tmp_path / known.file).write_bytes(b"not a network")
    with pytest.raises(EngineLoadFailed, match=known.file):
        known.make(tmp_path).load()


def test_another_network_is_refused_by_name(tmp_path: Path) -> None:
    other = SMART_TURN.folder() / SMART_TURN.file
    (tmp_path / CALLBOX_TURN.file).write_bytes(other.read_bytes())
    with pytest.raises(EngineLoadFailed, match=r"callbox-turn\.onnx"):
        CALLBOX_TURN.make(tmp_path).load()


async def test_closed_it_says_so_and_loads_again(known: Known) -> None:
    engine = known.make(known.folder())
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


async def mean_over(engine: TurnEngine, lines: list[Pcm32], context: TurnContext) -> float:
    """The mean probability over the same sounds, whatever their real words."""
    return float(np.mean([(await engine.predict(level(line), context)).probability for line in lines[:12]]))


async def test_unfinished_words_lower_the_probability(callbox_turn: CallboxTurn, lines: list[Pcm32]) -> None:
    whole = await mean_over(callbox_turn, lines, TurnContext("i need an appointment with doctor chen"))
    for words in (
        "i need an appointment with",
        "i need an appointment with doctor chen and",
        "i need an appointment um",
    ):
        assert await mean_over(callbox_turn, lines, TurnContext(words)) < whole - 0.05, words


async def test_words_it_never_heard_are_told_by_the_small_words_around_them(
    callbox_turn: CallboxTurn, lines: list[Pcm32]
) -> None:
    whole = await mean_over(callbox_turn, lines, TurnContext("We repainted the lighthouse."))
    unfinished = await mean_over(callbox_turn, lines, TurnContext("We repainted the lighthouse because of the"))
    assert unfinished < whole - 0.02


async def test_longer_silence_never_lowers_it_and_in_the_end_raises_it(
    callbox_turn: CallboxTurn, lines: list[Pcm32]
) -> None:
    for words in ("", "i need an appointment", "i need an"):
        for line in lines[:4]:
            spoken, found = level(line), []
            for silence_s in (0.2, 0.4, 0.8, 1.5):
                rest = np.zeros(round((silence_s - 0.2) * 16_000), dtype=np.float32)
                context = TurnContext(words, silence_s=silence_s)
                found.append((await callbox_turn.predict(np.concatenate([spoken, rest]), context)).probability)
            assert found == sorted(found)
            assert found[-1] > found[0]


async def test_three_digits_are_fewer_than_were_asked_for(callbox_turn: CallboxTurn, lines: list[Pcm32]) -> None:
    three, ten = "five five five", "five five five one two one two three four five"
    asked = await mean_over(callbox_turn, lines, TurnContext(three, Asked.DIGITS))
    assert asked < await mean_over(callbox_turn, lines, TurnContext(three, Asked.CHOICE))
    assert asked < await mean_over(callbox_turn, lines, TurnContext(ten, Asked.DIGITS)) - 0.1


async def test_a_slow_callers_silence_tells_less(callbox_turn: CallboxTurn, lines: list[Pcm32]) -> None:
    words, slow, quick = "i need an appointment", (1.2, 0.9, 1.6, 1.1), (0.25, 0.3, 0.22, 0.25)
    spoken = await mean_over(callbox_turn, lines, TurnContext(words, silence_s=0.6, pauses_s=slow))
    assert spoken < await mean_over(callbox_turn, lines, TurnContext(words, silence_s=0.6, pauses_s=quick))


async def test_smart_turns_own_verdict_counts_as_much_as_is_set(callbox_turn: CallboxTurn, lines: list[Pcm32]) -> None:
    swayed = CallboxTurn(CallboxTurnOptions(smart_turn_share=1.0), CALLBOX_TURN.folder())
    swayed.load()
    try:
        for line in lines[:4]:
            alone, both = [
                (await engine.predict(level(line), CONTEXT)).probability for engine in (callbox_turn, swayed)
            ]
            assert abs(alone - both) > 1e-3
    finally:
        swayed.close()
