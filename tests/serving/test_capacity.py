"""How many calls the machine takes."""

import threading

import pytest

from serving.capacity import CapacityGate
from serving.errors import AtCapacity

pytestmark = pytest.mark.unit


def test_places_are_taken_and_given_back() -> None:
    gate = CapacityGate(2)
    gate.enter()
    gate.enter()
    with pytest.raises(AtCapacity, match=r"All 2 lines are busy\. Raise capacity\.max_calls"):
        gate.enter()
    gate.leave()
    gate.enter()
    assert gate.active == 2


@pytest.mark.parametrize(("active", "load"), [(0, 0.0), (1, 0.25), (3, 0.75), (4, 1.0)])
def test_the_load_is_the_share_of_places_taken(active: int, load: float) -> None:
    gate = CapacityGate(4)
    for _ in range(active):
        gate.enter()
    assert gate.load == load


def test_a_refused_caller_takes_no_place() -> None:
    gate = CapacityGate(1)
    gate.enter()
    for _ in range(3):
        with pytest.raises(AtCapacity):
            gate.enter()
    assert gate.active == 1


def test_callers_from_many_threads_get_exactly_the_places_there_are() -> None:
    gate, taken, start = CapacityGate(7), list[int](), threading.Barrier(40)

    def call(number: int) -> None:
        start.wait()
        try:
            gate.enter()
        except AtCapacity:
            return
        taken.append(number)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(taken), gate.active) == (7, 7)
