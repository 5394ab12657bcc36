import pytest

from agent.operate.supervisor.restarts import GiveUp, Restart, RestartOptions, RestartPolicy

pytestmark = pytest.mark.unit

OPTIONS = RestartOptions(max_restarts=3, window_s=100.0, first_delay_s=1.0, max_delay_s=3.0)


def test_each_restart_waits_twice_as_long_up_to_the_longest_wait() -> None:
    policy = RestartPolicy(OPTIONS)
    assert [policy.on_death(now_s) for now_s in (0.0, 1.0, 2.0)] == [Restart(1.0, 1), Restart(2.0, 2), Restart(3.0, 3)]


def test_the_budget_ends_it() -> None:
    policy = RestartPolicy(OPTIONS)
    decisions = [policy.on_death(now_s) for now_s in (0.0, 1.0, 2.0, 99.0)]
    assert decisions[-1] == GiveUp(3)


def test_old_restarts_are_forgotten() -> None:
    policy = RestartPolicy(OPTIONS)
    for now_s in (0.0, 50.0, 60.0):
        policy.on_death(now_s)
    assert policy.on_death(100.0) == Restart(3.0, 3)
    assert policy.on_death(200.0) == Restart(1.0, 1)


def test_restarts_can_be_turned_off() -> None:
    assert RestartPolicy(RestartOptions(max_restarts=0)).on_death(0.0) == GiveUp(0)
