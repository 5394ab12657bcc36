"""Finding stretches of a reply in what a caller heard."""

import numpy as np
import numpy.typing as npt
import pytest

from models.store import open_store
from scripts.bench.heard.alignment import runs_heard
from scripts.caller.clock import RATE
from serving.audio import Pcm16
from serving.tts.piper import PiperEngine, PiperOptions

pytestmark = pytest.mark.unit

TEXT = "Please bring your insurance card, a list of the medicines you take, and your last letter from the hospital."
TOLERANCE_S = 0.012


@pytest.fixture(scope="module")
def reply() -> Pcm16:
    """A reply by the demo voice without its noise, with which it differs at every start; at RATE."""
    options = PiperOptions(room_rate=RATE, noise_scale=0.0, noise_w=0.0)
    engine = PiperEngine(options, open_store().resolve("demo-voice"))
    engine.load()
    try:
        voice = engine._voice
        assert voice is not None
        sentence = voice.sentence(TEXT, 0)
        assert sentence is not None
        return sentence.samples
    finally:
        engine.close()


def heard(reply: Pcm16, *parts: tuple[float, float, float]) -> npt.NDArray[np.float64]:
    """A recording of stretches of a reply (start, end, how long after the recording's beginning), with some noise."""
    noise = np.random.default_rng(0).normal(0, 20, round((len(reply) / RATE + 4) * RATE))
    for start_s, end_s, at_s in parts:
        part = reply[round(start_s * RATE) : round(end_s * RATE)].astype(np.float64)
        noise[round(at_s * RATE) : round(at_s * RATE) + len(part)] += 0.9 * part
    return noise


@pytest.mark.parametrize("cut_s", [0.15, 0.3, 0.52, 1.0, 1.73, 2.6, 3.4])
def test_a_cut_is_found_within_a_few_milliseconds(reply: Pcm16, cut_s: float) -> None:
    found = runs_heard(reply, heard(reply, (0.0, cut_s, 0.26)), RATE, first_lag_s=0.8)
    assert len(found) == 1
    assert found[0].lag_s == pytest.approx(0.26, abs=0.003)
    assert found[0].run.start_s <= 0.03
    # an end in a silence is put at the last sound before it
    end = round(cut_s * RATE)
    last = np.flatnonzero(np.abs(reply[:end].astype(np.int32)) > 600)[-1] / RATE
    assert last - TOLERANCE_S <= found[0].run.end_s <= cut_s + TOLERANCE_S


@pytest.mark.parametrize(("held_s", "resumed_s"), [(1.0, 0.8), (1.73, 1.5), (2.0, 2.2)])
def test_a_reply_that_is_paused_and_resumed_is_two_runs(reply: Pcm16, held_s: float, resumed_s: float) -> None:
    recording = heard(reply, (0.0, held_s, 0.26), (resumed_s, 3.3, 0.26 + held_s + 0.7))
    first, second = runs_heard(reply, recording, RATE, first_lag_s=0.8, pauses_s=[0.7])
    assert first.run.end_s == pytest.approx(held_s, abs=0.03)
    assert second.run.start_s == pytest.approx(resumed_s, abs=0.05)
    assert second.run.end_s == pytest.approx(3.3, abs=0.03)
    assert second.lag_s - first.lag_s == pytest.approx(held_s - resumed_s + 0.7, abs=0.003)


def test_a_reply_that_was_not_heard_is_not_found(reply: Pcm16) -> None:
    assert runs_heard(reply, heard(reply), RATE, first_lag_s=0.8) == []


def test_another_reply_is_not_mistaken_for_it(reply: Pcm16) -> None:
    recording = heard(reply[::-1].copy(), (0.0, 3.0, 0.26))
    found = runs_heard(reply, recording, RATE, first_lag_s=0.8)
    assert sum(one.run.end_s - one.run.start_s for one in found) < 0.1
