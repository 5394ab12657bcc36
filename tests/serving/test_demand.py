"""How busy the engines are right now."""

import threading
import time

import pytest

from serving.demand import Demand

pytestmark = pytest.mark.unit


def test_replies_count_while_they_are_computed() -> None:
    demand = Demand()
    with demand.reply(), demand.reply():
        assert demand.computing == 2
    with pytest.raises(KeyError), demand.reply():
        raise KeyError
    assert demand.computing == 0


def test_who_has_waited_longest_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    demand, first, second = Demand(), object(), object()
    assert demand.longest_wait_s == 0.0
    demand.wait(first)
    now = 100.5
    demand.wait(second)
    demand.wait(first)  # since when is known already
    now = 101.0
    assert demand.longest_wait_s == 1.0
    demand.answered(first)
    assert demand.longest_wait_s == 0.5
    demand.answered(second)
    demand.answered(second)
    assert demand.longest_wait_s == 0.0


def test_calls_count_from_their_own_threads() -> None:
    demand, begin = Demand(), threading.Barrier(8)

    def call() -> None:
        begin.wait()
        for _ in range(2_000):
            with demand.reply():
                who = object()
                demand.wait(who)
                demand.answered(who)

    calls = [threading.Thread(target=call) for _ in range(8)]
    for one in calls:
        one.start()
    for one in calls:
        one.join()
    assert (demand.computing, demand.longest_wait_s) == (0, 0.0)
