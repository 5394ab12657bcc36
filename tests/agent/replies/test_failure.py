"""How often the agent apologises for a failure, and when it gives up."""

import pytest

from agent.replies.failure import MAX_APOLOGIES, SAME_FAILURE_S, FailureAnswer, FailurePolicy

pytestmark = pytest.mark.unit


def test_the_last_apology_is_a_goodbye() -> None:
    policy = FailurePolicy()
    answers = [policy.failed(10.0 * at) for at in range(MAX_APOLOGIES + 2)]
    assert answers == [
        *[FailureAnswer.APOLOGISE] * (MAX_APOLOGIES - 1),
        FailureAnswer.SAY_GOODBYE,
        FailureAnswer.NOTHING,
        FailureAnswer.NOTHING,
    ]


def test_failures_soon_after_an_apology_are_part_of_it() -> None:
    policy = FailurePolicy()
    assert policy.failed(100.0) is FailureAnswer.APOLOGISE
    assert policy.failed(100.0 + SAME_FAILURE_S - 0.01) is FailureAnswer.NOTHING
    assert policy.failed(100.0 + SAME_FAILURE_S) is FailureAnswer.APOLOGISE


def test_a_failure_without_an_answer_does_not_delay_the_next_answer() -> None:
    policy = FailurePolicy()
    policy.failed(0.0)
    policy.failed(SAME_FAILURE_S - 0.5)
    assert policy.failed(SAME_FAILURE_S + 0.5) is FailureAnswer.APOLOGISE


def test_the_first_failure_is_answered_whatever_the_clock_says() -> None:
    assert FailurePolicy().failed(0.0) is FailureAnswer.APOLOGISE
    assert FailurePolicy().failed(-5.0) is FailureAnswer.APOLOGISE
