"""When the agent asks to say it again."""

import pytest

from agent.replies.repeat import RepeatPolicy

pytestmark = pytest.mark.unit


def test_it_asks_once() -> None:
    policy = RepeatPolicy()
    assert [policy.no_words(agent_is_quiet=True) for _ in range(4)] == [True, False, False, False]


def test_it_asks_again_after_it_has_understood() -> None:
    policy = RepeatPolicy()
    policy.no_words(agent_is_quiet=True)
    policy.understood()
    assert policy.no_words(agent_is_quiet=True)
    assert not policy.no_words(agent_is_quiet=True)


def test_it_does_not_ask_over_its_own_voice_and_may_still_ask_later() -> None:
    policy = RepeatPolicy()
    assert not policy.no_words(agent_is_quiet=False)
    assert policy.no_words(agent_is_quiet=True)
