"""The interruption engine on its real model."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from agent.turns.barge_in import Overlap, decide_overlap
from models.store import open_store
from serving.audio import SPEECH_RATE, Pcm32
from serving.errors import EngineDied, EngineLoadFailed
from serving.interruption.callbox_interruption import CallboxInterruption, CallboxInterruptionOptions
from serving.registry import find
from serving.speech import Interruption

pytestmark = pytest.mark.contract

CALLERS = Path(__file__).parents[2] / "models" / "demo" / "callers"
UNHEARD_VOICES = ("rms",)
"""Those of the demo's callers whose voice the model was not trained on."""
CALLERS_WHO_MURMUR = ("rms", "awb", "kal16", "espeak")
LEAD_S = 1.0
QUIET = np.zeros(SPEECH_RATE, dtype=np.float32)


@pytest.fixture(scope="module")
def folder() -> Path:
    """The shipped model's folder."""
    return open_store().resolve("callbox-interruption")


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[CallboxInterruption]:
    """A loaded engine."""
    engine = CallboxInterruption(CallboxInterruptionOptions(), folder)
    engine.load()
    engine.warm_up()
    yield engine
    engine.close()


def on_a_line(name: str) -> Pcm32:
    """A recording of the demo's callers, with LEAD_S of a quiet line before it and half a second after it."""
    samples, rate = soundfile.read(CALLERS / f"{name}.flac", dtype="float32")
    assert rate == SPEECH_RATE
    loud = np.flatnonzero(np.abs(samples) > 0.03 * np.abs(samples).max())
    whole = np.concatenate([QUIET, samples[loud[0] : loud[-1]], QUIET[: SPEECH_RATE // 2]])
    return np.asarray(whole + np.random.default_rng(1).normal(0, 8e-4, len(whole)), dtype=np.float32)


async def heard(engine: CallboxInterruption, name: str, overlap_s: float) -> Interruption:
    """The verdict on a recording, `overlap_s` after its onset."""
    return await engine.predict(on_a_line(name)[: round((LEAD_S + overlap_s) * SPEECH_RATE)], overlap_s)


def test_the_registry_knows_it() -> None:
    assert find("interruption", "callbox-interruption").load() == (CallboxInterruption, CallboxInterruptionOptions)


@pytest.mark.parametrize("overlap_s", [0.1, 0.3, 0.5, 1.0, 1.6, 2.5])
async def test_the_probabilities_add_up_to_one(engine: CallboxInterruption, overlap_s: float) -> None:
    verdict = await heard(engine, "rms/what_are_your_opening_hours", overlap_s)
    probabilities = (verdict.interruption, verdict.backchannel, verdict.other)
    assert all(0.0 <= probability <= 1.0 for probability in probabilities)
    assert sum(probabilities) == pytest.approx(1.0, abs=1e-5)
    assert verdict.inference_s > 0.0


@pytest.mark.parametrize("voice", UNHEARD_VOICES)
async def test_a_wish_to_speak_is_told_from_a_murmur(engine: CallboxInterruption, voice: str) -> None:
    wish = await heard(engine, f"{voice}/wait_stop_hold_on_a_second", 0.5)
    assert wish.interruption == max(wish.interruption, wish.backchannel, wish.other)
    murmur = await heard(engine, f"{voice}/yes", 0.5)
    assert murmur.backchannel == max(murmur.interruption, murmur.backchannel, murmur.other)


@pytest.mark.parametrize("voice", CALLERS_WHO_MURMUR)
async def test_a_caller_who_murmurs_does_not_stop_the_agent(engine: CallboxInterruption, voice: str) -> None:
    windows = [(overlap_s, await heard(engine, f"{voice}/mm_hmm", overlap_s)) for overlap_s in (0.16, 0.26, 0.36, 0.46)]
    assert decide_overlap(windows) is not Overlap.BARGE_IN


@pytest.mark.parametrize("voice", UNHEARD_VOICES)
async def test_most_lines_of_a_voice_never_heard_are_wishes_to_speak(engine: CallboxInterruption, voice: str) -> None:
    names = [path.stem for path in sorted((CALLERS / voice).glob("*.flac"))]
    wishes = [name for name in names if not name.startswith(("mm_hmm", "yes", "okay"))]
    assert len(wishes) > 40
    found = [(await heard(engine, f"{voice}/{name}", 0.5)).interruption >= 0.5 for name in wishes]
    assert np.mean(found) >= 0.9


@pytest.mark.parametrize("sound", ["cough", "keyboard"])
@pytest.mark.parametrize("overlap_s", [0.3, 0.5])
async def test_sounds_that_are_no_speech_are_other(engine: CallboxInterruption, sound: str, overlap_s: float) -> None:
    verdict = await heard(engine, f"sounds/{sound}", overlap_s)
    assert verdict.other == max(verdict.interruption, verdict.backchannel, verdict.other)


@pytest.mark.parametrize("length", [0, 1, 100, 1_600])
async def test_hardly_any_audio_is_judged_all_the_same(engine: CallboxInterruption, length: int) -> None:
    verdict = await engine.predict(np.zeros(length, dtype=np.float32), length / SPEECH_RATE)
    assert verdict.interruption < 0.5


async def test_silence_is_no_wish_to_speak(engine: CallboxInterruption) -> None:
    assert (await engine.predict(np.zeros(10 * SPEECH_RATE, dtype=np.float32), 9.0)).interruption < 0.5


async def test_audio_before_the_window_does_not_matter(engine: CallboxInterruption) -> None:
    whole = on_a_line("rms/what_are_your_opening_hours")[: round(2.2 * SPEECH_RATE)]
    earlier = np.random.default_rng(2).normal(0, 0.2, 3 * SPEECH_RATE).astype(np.float32)
    alone = await engine.predict(whole[-round(engine.window_s * SPEECH_RATE) :], 1.2)
    beside = await engine.predict(np.concatenate([earlier, whole]), 1.2)
    assert (beside.interruption, beside.backchannel) == (alone.interruption, alone.backchannel)


async def test_many_calls_at_once_get_the_answers_they_get_alone(engine: CallboxInterruption) -> None:
    names = [f"rms/{path.stem}" for path in sorted((CALLERS / "rms").glob("*.flac"))[:8]]
    alone = [(await heard(engine, name, 0.4)).interruption for name in names]
    together = await asyncio.gather(*(heard(engine, name, 0.4) for name in names))
    assert [verdict.interruption for verdict in together] == alone
    assert len(set(alone)) > 1


async def test_the_caller_may_reuse_its_buffer(engine: CallboxInterruption) -> None:
    buffer = on_a_line("rms/what_is_your_address")[: round(1.4 * SPEECH_RATE)].copy()
    expected = (await engine.predict(buffer, 0.4)).interruption
    pending = asyncio.ensure_future(engine.predict(buffer, 0.4))
    await asyncio.sleep(0)
    buffer[:] = 0.0
    assert (await pending).interruption == expected


def test_a_missing_file_names_the_command_that_gets_it(tmp_path: Path) -> None:
    with pytest.raises(EngineLoadFailed, match="git checkout"):
        CallboxInterruption(CallboxInterruptionOptions(), tmp_path).load()


def test_a_broken_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / CallboxInterruptionOptions().file).write_bytes(b"not a network")
    with pytest.raises(EngineLoadFailed, match=CallboxInterruptionOptions().file):
        CallboxInterruption(CallboxInterruptionOptions(), tmp_path).load()


async def test_closed_it_says_so_and_loads_again(folder: Path) -> None:
    engine = CallboxInterruption(CallboxInterruptionOptions(), folder)
    engine.load()
    engine.check()
    engine.close()
    engine.close()
    with pytest.raises(EngineDied):
        await engine.predict(QUIET, 0.3)
    with pytest.raises(EngineDied):
        engine.check()
    engine.load()
    engine.check()
    engine.close()
