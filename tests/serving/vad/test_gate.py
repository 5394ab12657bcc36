"""The hysteresis between voice activity and speech."""

import pytest

from serving.speech import VoiceActivity
from serving.vad.gate import Gate, GateClosed, GateOpened, GateOptions

pytestmark = pytest.mark.unit

WINDOW_S = 0.032
OPTIONS = GateOptions(activation_threshold=0.5, deactivation_threshold=0.3, min_speech_ms=64, min_silence_ms=96)


def decisions(probabilities: list[float], options: GateOptions = OPTIONS) -> list[GateOpened | GateClosed]:
    """What a gate decides on windows of these probabilities, rounded to tenths of milliseconds."""
    gate = Gate(options, window_s=WINDOW_S)
    made = [gate.push(VoiceActivity(p, (i + 1) * WINDOW_S)) for i, p in enumerate(probabilities)]
    return [type(d)(round(d.at_s, 4), round(d.decided_at_s, 4)) for d in made if d is not None]


def test_speech_counts_from_its_first_window_once_it_has_lasted() -> None:
    assert decisions([0, 0.9, 0.9]) == [GateOpened(0.032, 0.096)]


def test_a_click_is_not_speech() -> None:
    assert decisions([0, 0.99, 0, 0.99, 0]) == []


def test_silence_counts_from_the_last_window_of_speech() -> None:
    assert decisions([0.9, 0.9, 0, 0, 0]) == [GateOpened(0.0, 0.064), GateClosed(0.064, 0.16)]


def test_a_short_gap_does_not_end_speech() -> None:
    assert decisions([0.9, 0.9, 0, 0, 0.9, 0, 0, 0.9]) == [GateOpened(0.0, 0.064)]


def test_between_the_thresholds_the_gate_stays_as_it_is() -> None:
    assert decisions([0.4] * 20) == []
    assert decisions([0.9, 0.9] + [0.4] * 20) == [GateOpened(0.0, 0.064)]


def test_the_thresholds_themselves_count_as_speech() -> None:
    assert decisions([0.5, 0.5] + [0.3] * 20) == [GateOpened(0.0, 0.064)]


def test_runs_and_wavering_tell_what_is_under_way() -> None:
    gate = Gate(OPTIONS, window_s=WINDOW_S)
    gate.push(VoiceActivity(0.9, 0.032))
    assert gate.is_wavering
    assert gate.speech_run_s == pytest.approx(0.032)
    gate.push(VoiceActivity(0.9, 0.064))
    assert gate.is_open
    assert not gate.is_wavering
    gate.push(VoiceActivity(0.1, 0.096))
    assert gate.is_wavering
    assert gate.silence_run_s == pytest.approx(0.032)
    assert gate.speech_end_s == pytest.approx(0.064)


def test_a_reset_closes_without_a_decision() -> None:
    gate = Gate(OPTIONS, window_s=WINDOW_S)
    for index in range(3):
        gate.push(VoiceActivity(0.9, (index + 1) * WINDOW_S))
    gate.reset()
    assert not gate.is_open
    assert gate.push(VoiceActivity(0.9, 4 * WINDOW_S)) is None
    opened = gate.push(VoiceActivity(0.9, 5 * WINDOW_S))
    assert isinstance(opened, GateOpened)
    assert opened.at_s == pytest.approx(3 * WINDOW_S)


def test_lengths_need_not_be_multiples_of_the_window() -> None:
    options = GateOptions(min_speech_ms=50, min_silence_ms=100)
    assert decisions([0.9, 0.9, 0, 0, 0, 0], options) == [GateOpened(0.0, 0.064), GateClosed(0.064, 0.192)]
