"""When the agent asks the caller to repeat something."""

import pytest

from agent.replies.repeat import RepeatPolicy

pytestmark = pytest.mark.unit


def test_it_asks_once() -> None:
    policy = RepeatPolicy()
    assert [policy.unintelligible(agent_is_quiet=True) for _ in range(4)] == [True, False, False, False]


@pytest.mark.parametrize("is_final", [False, True])
def test_it_asks_again_after_it_has_understood_and_answered(is_final: bool) -> None:
    policy = RepeatPolicy()
    policy.unintelligible(agent_is_quiet=True)
    policy.understood(is_final=is_final)
    policy.turn_over()
    assert policy.unintelligible(agent_is_quiet=True)
    assert not policy.unintelligible(agent_is_quiet=True)


def test_interim_words_count_as_understood() -> None:
    policy = RepeatPolicy()
    policy.unintelligible(agent_is_quiet=True)
    policy.understood(is_final=False)
    assert policy.unintelligible(agent_is_quiet=True)


def test_it_does_not_ask_over_its_own_voice_and_may_still_ask_later() -> None:
    policy = RepeatPolicy()
    assert not policy.unintelligible(agent_is_quiet=False)
    assert policy.unintelligible(agent_is_quiet=True)


def test_it_does_not_ask_while_words_wait_for_their_answer() -> None:
    policy = RepeatPolicy()
    policy.understood(is_final=True)
    assert not policy.unintelligible(agent_is_quiet=True)
    policy.understood(is_final=False)
    assert not policy.unintelligible(agent_is_quiet=True)
    policy.turn_over()
    assert policy.unintelligible(agent_is_quiet=True)


def test_a_turn_that_is_answered_without_new_words_is_no_reason_to_ask_again() -> None:
    policy = RepeatPolicy()
    policy.unintelligible(agent_is_quiet=True)
    policy.turn_over()
    assert not policy.unintelligible(agent_is_quiet=True)
