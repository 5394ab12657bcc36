"""When sounds are asked about, and when each way of deciding stops the agent."""

import asyncio
from itertools import pairwise

import numpy as np
import pytest

from scripts.bench.bargein.run import (
    NEVER,
    Heard,
    Judgement,
    Sound,
    asked_at,
    judged,
    sounds_of,
    stop_by_length,
    stop_by_model,
    stop_by_words,
)
from serving.speech import Interruption, VoiceActivity, Word
from serving.vad.gate import GateOptions
from tests.scripted.interruption import ScriptedInterruption
from tests.scripted.sounds import Sounds

pytestmark = pytest.mark.unit

WINDOW_S = 0.032


def heard(at_s: float, text: str, *, is_final: bool) -> Heard:
    """Words that the recogniser is sure of."""
    return Heard(at_s, text, is_final, tuple(Word(word, at_s - 0.3, at_s - 0.1, 0.95) for word in text.split()))


SOUND = Sound(opened_at_s=1.0, decided_at_s=1.064, closed_at_s=1.9)


def activities(*stretches: tuple[int, float]) -> list[VoiceActivity]:
    """This many VAD windows of each probability, one stretch after another."""
    each = [probability for count, probability in stretches for _ in range(count)]
    return [VoiceActivity(probability, (number + 1) * WINDOW_S) for number, probability in enumerate(each)]


def said(at_s: float, overlap_s: float, wish: float) -> Judgement:
    """An answer of the model."""
    return Judgement(at_s - 0.003, 0.003, (overlap_s, Interruption(wish, 1 - wish, 0.0, 0.003)))


def test_a_sound_opens_after_two_windows_and_closes_after_its_hangover() -> None:
    [sound] = sounds_of(activities((10, 0.0), (10, 0.9), (20, 0.0)), GateOptions(), WINDOW_S)
    assert sound.opened_at_s == pytest.approx(0.32)
    assert sound.decided_at_s == pytest.approx(0.384)
    assert sound.closed_at_s == pytest.approx(0.64 + 0.256)


def test_a_sound_that_never_ends_ends_with_the_audio() -> None:
    [sound] = sounds_of(activities((2, 0.0), (20, 0.9)), GateOptions(), WINDOW_S)
    assert sound.closed_at_s == pytest.approx(22 * WINDOW_S)


def test_a_long_pause_separates_two_sounds() -> None:
    assert len(sounds_of(activities((9, 0.9), (12, 0.0), (9, 0.9), (12, 0.0)), GateOptions(), WINDOW_S)) == 2


def test_sounds_are_asked_about_every_100_ms_while_the_gate_is_open() -> None:
    assert list(asked_at(SOUND)) == pytest.approx([1.164 + 0.1 * number for number in range(8)])
    assert list(asked_at(Sound(1.0, 1.064, 1.15))) == []


def test_a_judgement_is_asked_for_with_the_length_known_to_the_vad_and_its_time_counts() -> None:
    engine = ScriptedInterruption(Sounds(), inference_s=0.02)
    samples = np.zeros(3 * 16_000, np.float32)
    [answers] = asyncio.run(judged(samples, [SOUND], engine, WINDOW_S))
    assert answers[0].asked_at_s == pytest.approx(1.164)
    assert answers[0].at_s > answers[0].asked_at_s
    overlaps_s = [answer.window[0] for answer in answers]
    assert all(later - sooner == pytest.approx(0.1, abs=WINDOW_S) for sooner, later in pairwise(overlaps_s))
    assert 0.12 < overlaps_s[0] <= 0.164 + 1e-6


def test_the_rule_of_calls_decides_at_the_window_that_makes_it_sure() -> None:
    answers = [said(1.17, 0.16, 0.5), said(1.27, 0.26, 0.95), said(1.37, 0.36, 0.99)]
    assert stop_by_model([answers]) == pytest.approx(1.27)
    assert stop_by_model([[said(1.17, 0.16, 0.1)], [said(3.0, 0.16, 0.95)]]) == pytest.approx(3.0)
    assert stop_by_model([[said(1.17, 0.16, 0.1)]]) == NEVER
    assert stop_by_model([]) == NEVER


def test_words_that_are_ready_sooner_stop_the_agent_sooner() -> None:
    answers = [said(1.17, 0.16, 0.1), said(1.27, 0.26, 0.2)]
    assert stop_by_model([answers], [heard(1.4, "wait", is_final=False)]) == 1.4
    assert stop_by_model([answers], [heard(1.4, "yeah", is_final=True)]) == NEVER


def test_length_stops_at_the_vad_window_that_makes_it_long_enough() -> None:
    assert stop_by_length([SOUND], 0.5, WINDOW_S) == pytest.approx(47 * WINDOW_S)
    assert stop_by_length([SOUND], 1.4, WINDOW_S) == NEVER
    assert stop_by_length([], 0.5, WINDOW_S) == NEVER


def test_words_or_length() -> None:
    assert stop_by_words([SOUND], [heard(1.5, "hold on", is_final=False)], WINDOW_S) == 1.5
    assert stop_by_words([SOUND], [heard(1.5, "okay", is_final=True)], WINDOW_S) == NEVER
    long = Sound(1.0, 1.064, 4.0)
    assert stop_by_words([long], [], WINDOW_S) == pytest.approx(2.4, abs=WINDOW_S)
