"""When a reply may start before its turn is known to be over."""

import pytest

from agent.call.events import Refusal
from agent.replies.speculation_policy import Load, SpeculationLimits, SpeculationPolicy

pytestmark = pytest.mark.unit

IDLE = Load(0.0, 0.0)


def policy(*, is_judged: bool = True, **limits: float) -> SpeculationPolicy:
    """A policy with these limits."""
    return SpeculationPolicy(SpeculationLimits(**limits), is_judged=is_judged)  # type: ignore[arg-type]


def test_the_first_reply_of_a_turn_starts_at_once() -> None:
    assert policy().refusal(IDLE) is None


@pytest.mark.parametrize("limit", [0, 1, 2, 5])
def test_every_turn_has_the_same_budget_of_replies(limit: int) -> None:
    one = policy(max_per_turn=limit, is_judged=False)
    for _ in range(2):
        for _ in range(limit):
            assert one.refusal(IDLE) is None
            one.begun()
        assert one.refusal(IDLE) is Refusal.BUDGET
        one.turn_over()


def test_what_is_wasted_is_limited() -> None:
    one = policy(max_wasted_tokens=10, max_wasted_audio_s=2.0)
    one.wasted(9, 1.9)
    assert one.refusal(IDLE) is None
    one.wasted(1, 0.0)
    assert one.refusal(IDLE) is Refusal.BUDGET
    one.turn_over()
    one.wasted(0, 2.0)
    assert one.refusal(IDLE) is Refusal.BUDGET


def test_no_reply_can_waste_more_tokens_than_are_left() -> None:
    one = policy(max_tokens_ahead=32, max_wasted_tokens=50)
    assert one.tokens_ahead == 32
    one.wasted(32, 0.0)
    assert one.tokens_ahead == 18
    one.wasted(18, 0.0)
    assert one.refusal(IDLE) is Refusal.BUDGET


@pytest.mark.parametrize(
    ("load", "refusal"),
    [
        (Load(0.74, 0.24), None),
        (Load(0.75, 0.0), Refusal.LOAD),
        (Load(0.0, 0.25), Refusal.LOAD),
        (Load(1.5, 3.0), Refusal.LOAD),
    ],
)
def test_a_busy_box_first_answers_callers_whose_turns_are_over(load: Load, refusal: Refusal | None) -> None:
    one = policy(max_load=0.75, max_wait_s=0.25)
    assert one.refusal(load) is refusal
    assert one.refusal(IDLE) is None


def test_a_later_reply_does_not_start_for_a_caller_in_mid_sentence() -> None:
    one = policy(max_per_turn=9, min_probability=0.3)
    one.judged(0.1)
    assert one.refusal(IDLE) is None
    one.begun()
    assert one.refusal(IDLE) is Refusal.UNLIKELY
    one.judged(0.3)
    assert one.refusal(IDLE) is None
    one.judged(0.1)
    one.caller_continued()  # the judgement was about another pause
    assert one.refusal(IDLE) is None


@pytest.mark.parametrize("is_judged", [True, False])
def test_the_last_reply_of_a_turn_waits_for_a_judgement_if_one_will_come(is_judged: bool) -> None:
    one = policy(max_per_turn=2, is_judged=is_judged)
    one.begun()
    assert one.refusal(IDLE) is (Refusal.UNLIKELY if is_judged else None)
    one.judged(0.9)
    assert one.refusal(IDLE) is None


def test_the_only_reply_of_a_turn_does_not_wait() -> None:
    assert policy(max_per_turn=1).refusal(IDLE) is None


def test_a_turn_that_is_over_says_nothing_about_the_next() -> None:
    one = policy(max_per_turn=3)
    one.begun()
    one.judged(0.0)
    one.turn_over()
    one.begun()
    assert one.refusal(IDLE) is None


@pytest.mark.parametrize(
    "limits", [{"max_per_turn": -1}, {"max_tokens_ahead": 0}, {"min_probability": 1.1}, {"min_probability": -0.1}]
)
def test_meaningless_limits_are_refused(limits: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(limits))):
        policy(**limits)  # type: ignore[arg-type]
