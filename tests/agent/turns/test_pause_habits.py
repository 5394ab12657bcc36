"""What is kept of a caller's pauses."""

import random

import pytest

from agent.turns.pause_habits import KEPT, MAX_S, MIN_S, PauseHabits

pytestmark = pytest.mark.unit

WINDOW_S = 0.032


def silence(habits: PauseHabits, silence_s: float, *, agent_speaks: bool = False) -> None:
    """Told window by window, as the VAD sees it."""
    for windows in range(1, round(silence_s / WINDOW_S) + 1):
        habits.silent(windows * WINDOW_S, agent_speaks=agent_speaks)


def test_a_silence_that_the_caller_ends_is_a_pause() -> None:
    habits = PauseHabits()
    for pause_s in (0.32, 0.96, 0.16):
        habits.speaks()
        silence(habits, pause_s)
    assert habits.pauses_s == pytest.approx((0.32, 0.96))
    habits.speaks()
    assert habits.pauses_s == pytest.approx((0.32, 0.96, 0.16))


def test_the_silence_before_the_first_words_is_none() -> None:
    habits = PauseHabits()
    silence(habits, 0.5)
    habits.speaks()
    assert habits.pauses_s == ()


@pytest.mark.parametrize("silence_s", [2 * WINDOW_S, MAX_S + 0.1])
def test_what_is_too_short_or_too_long_is_none(silence_s: float) -> None:
    habits = PauseHabits()
    habits.speaks()
    silence(habits, silence_s)
    habits.speaks()
    assert habits.pauses_s == ()


def test_a_silence_in_which_the_agent_spoke_is_none() -> None:
    habits = PauseHabits()
    habits.speaks()
    silence(habits, 0.4)
    silence(habits, 1.5, agent_speaks=True)
    silence(habits, 2.0)
    habits.speaks()
    assert habits.pauses_s == ()
    silence(habits, 0.32)
    habits.speaks()
    assert habits.pauses_s == pytest.approx((0.32,))


def test_a_murmur_into_the_agents_reply_begins_no_pause() -> None:
    habits = PauseHabits()
    silence(habits, 0.5, agent_speaks=True)
    habits.speaks()
    silence(habits, 0.8, agent_speaks=True)
    habits.speaks()
    assert habits.pauses_s == ()


@pytest.mark.parametrize("seed", range(100))
def test_the_newest_are_kept_in_order(seed: int) -> None:
    rng = random.Random(seed)
    habits, expected = PauseHabits(), list[float]()
    for _ in range(rng.randint(1, 60)):
        habits.speaks()
        windows = rng.randint(0, 120)
        silence(habits, windows * WINDOW_S)
        expected.append(windows * WINDOW_S)
    habits.speaks()
    kept = [pause_s for pause_s in expected if MIN_S <= pause_s <= MAX_S][-KEPT:]
    assert habits.pauses_s == pytest.approx(kept)
