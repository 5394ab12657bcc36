"""Latency from recorded audio: known sounds at known places."""

import numpy as np
import pytest

from scripts.caller.clock import RATE
from scripts.caller.measure import AGENT_THRESHOLD_DBFS, Mark, level_dbfs, measure, spans
from serving.audio import Pcm16

pytestmark = pytest.mark.unit

Stretch = tuple[float, float]


def recording(*sounds: Stretch, length_s: float = 12.0, floor_dbfs: float = -65.0) -> Pcm16:
    """A tone at -20 dBFS in each stretch of seconds, over a floor of noise."""
    samples = np.random.default_rng(3).normal(0, 32768 * 10 ** (floor_dbfs / 20), round(length_s * RATE))
    for start_s, end_s in sounds:
        t = np.arange(round(start_s * RATE), round(end_s * RATE))
        samples[t] += 32768 * 0.1 * np.sqrt(2) * np.sin(2 * np.pi * 300 * t / RATE)
    return samples.astype(np.int16)


def mark(start_s: float, end_s: float, *, takes_floor: bool = True) -> Mark:
    return Mark(round(start_s * RATE), round(end_s * RATE), takes_floor)


def test_voice_to_voice_runs_from_the_last_voiced_sample_to_the_agents_first() -> None:
    # the line's file is longer than its voice on both sides
    [turn] = measure(recording((1.1, 2.0)), recording((2.46, 4.0)), [mark(1.0, 2.3)])
    assert turn.caller_start_s == pytest.approx(1.1, abs=0.005)
    assert turn.caller_end_s == pytest.approx(2.0, abs=0.005)
    assert turn.voice_to_voice_ms == pytest.approx(460, abs=10)
    assert turn.agent_end_s == pytest.approx(4.0, abs=0.005)
    assert turn.overlap_ms == 0
    assert turn.stopped_after_ms is None


def test_pauses_within_an_answer_do_not_split_it() -> None:
    marks = [mark(1, 2), mark(8, 9)]
    first, second = measure(recording((1, 2), (8, 9)), recording((2.5, 3.0), (3.3, 4.0), (4.6, 5.0), (9.7, 11)), marks)
    assert first.voice_to_voice_ms == pytest.approx(500, abs=10)
    assert first.agent_end_s == pytest.approx(5.0, abs=0.005)
    assert second.voice_to_voice_ms == pytest.approx(700, abs=10)


def test_a_click_and_the_noise_floor_are_no_answer() -> None:
    [turn] = measure(recording((1, 2)), recording((2.2, 2.21), floor_dbfs=-52), [mark(1, 2)])
    assert turn.voice_to_voice_ms is None
    assert turn.agent_start_s is None


def test_an_answer_that_begins_before_the_caller_has_finished_is_negative() -> None:
    [turn] = measure(recording((1, 3)), recording((2.8, 5)), [mark(1, 3)])
    assert turn.voice_to_voice_ms == pytest.approx(-200, abs=10)
    assert turn.overlap_ms == pytest.approx(200, abs=10)


def test_a_barge_in_is_timed_until_the_agent_is_silent_and_then_answers() -> None:
    caller = recording((1, 2), (4, 5))
    agent = recording((2.5, 4.45), (5.6, 7))
    first, second = measure(caller, agent, [mark(1, 2), mark(4, 5)])
    assert first.stopped_after_ms is None
    assert second.stopped_after_ms == pytest.approx(450, abs=10)
    assert second.overlap_ms == pytest.approx(450, abs=10)
    assert second.voice_to_voice_ms == pytest.approx(600, abs=10)


def test_a_backchannel_needs_no_answer_and_lets_the_agent_go_on() -> None:
    marks = [mark(1, 2), mark(3, 3.4, takes_floor=False), mark(8, 9)]
    first, murmur, third = measure(recording((1, 2), (3, 3.4), (8, 9)), recording((2.5, 7), (9.5, 10)), marks)
    assert first.agent_end_s == pytest.approx(7, abs=0.005)
    assert murmur.voice_to_voice_ms is None
    assert murmur.stopped_after_ms is None
    assert murmur.overlap_ms == pytest.approx(400, abs=10)
    assert third.voice_to_voice_ms == pytest.approx(500, abs=10)


def test_the_next_answer_is_not_taken_for_a_missing_one() -> None:
    first, second = measure(recording((1, 2), (5, 6)), recording((6.5, 7)), [mark(1, 2), mark(5, 6)])
    assert first.voice_to_voice_ms is None
    assert second.voice_to_voice_ms == pytest.approx(500, abs=10)


def test_levels() -> None:
    assert level_dbfs(recording((0, 1), length_s=1)) == pytest.approx(-20, abs=0.1)
    assert level_dbfs(np.zeros(160, np.int16)) == -np.inf
    assert spans(np.zeros(0, np.int16), AGENT_THRESHOLD_DBFS, 0.3) == []
