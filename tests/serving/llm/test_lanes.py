import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError

import pytest

from serving.chat import Priority
from serving.llm.lanes import Lanes

pytestmark = pytest.mark.unit

SOON_S = 5.0


@pytest.fixture
def lanes() -> Iterator[Lanes]:
    lanes = Lanes("test", slots=1)
    yield lanes
    lanes.close()


class Steps:
    """Work in steps that the test allows one by one."""

    def __init__(self, lanes: Lanes, priority: Priority, log: list[str]) -> None:
        self.lanes, self.priority, self.log = lanes, priority, log
        self.may_step = threading.Semaphore(0)
        self.stepped = threading.Semaphore(0)
        self.cancelled = False

    def __call__(self) -> None:
        for number in range(3):
            assert self.may_step.acquire(timeout=SOON_S)
            self.lanes.wait_turn(lambda: self.priority, lambda: self.cancelled)
            if self.cancelled:
                return
            self.log.append(f"{self.priority.name} {number}")
            self.stepped.release()

    def step(self) -> None:
        self.may_step.release()
        assert self.stepped.acquire(timeout=SOON_S)


def test_urgent_work_stops_the_rest_between_two_steps(lanes: Lanes) -> None:
    log: list[str] = []
    background, confirmed = (Steps(lanes, priority, log) for priority in (Priority.BACKGROUND, Priority.CONFIRMED))
    summary = lanes.submit(Priority.BACKGROUND, background)
    background.step()
    answer = lanes.submit(Priority.CONFIRMED, confirmed)
    background.may_step.release(2)
    assert not background.stepped.acquire(timeout=0.05)
    for _ in range(3):
        confirmed.step()
    answer.result(SOON_S)
    summary.result(SOON_S)
    assert log == ["BACKGROUND 0", *(f"CONFIRMED {n}" for n in range(3)), "BACKGROUND 1", "BACKGROUND 2"]


def test_speculative_work_goes_before_background_work(lanes: Lanes) -> None:
    log: list[str] = []
    background, speculative = (Steps(lanes, priority, log) for priority in (Priority.BACKGROUND, Priority.SPECULATIVE))
    guess = lanes.submit(Priority.SPECULATIVE, speculative)
    summary = lanes.submit(Priority.BACKGROUND, background)
    background.may_step.release(3)
    for _ in range(3):
        speculative.step()
    guess.result(SOON_S)
    summary.result(SOON_S)
    assert [line.split()[0] for line in log] == ["SPECULATIVE"] * 3 + ["BACKGROUND"] * 3


def test_within_a_lane_first_come_first_served(lanes: Lanes) -> None:
    order: list[int] = []
    gate = threading.Event()
    first = lanes.submit(Priority.CONFIRMED, lambda: gate.wait(SOON_S))
    rest = [lanes.submit(Priority.CONFIRMED, lambda number=number: order.append(number)) for number in range(5)]  # type: ignore[misc]
    gate.set()
    assert first.result(SOON_S)
    for future in rest:
        future.result(SOON_S)
    assert order == list(range(5))


def test_paused_work_wakes_up_when_it_is_cancelled(lanes: Lanes) -> None:
    gate = threading.Event()
    background = Steps(lanes, Priority.BACKGROUND, [])
    urgent = lanes.submit(Priority.CONFIRMED, lambda: gate.wait(SOON_S))
    paused = lanes.submit(Priority.BACKGROUND, background)
    background.may_step.release()
    assert not background.stepped.acquire(timeout=0.05)
    background.cancelled = True
    lanes.wake()
    paused.result(SOON_S)
    assert not urgent.done()
    gate.set()


def test_two_slots_let_background_work_on_beside_one_answer() -> None:
    lanes = Lanes("test", slots=2)
    gate = threading.Event()
    answer = lanes.submit(Priority.CONFIRMED, lambda: gate.wait(SOON_S))
    background = Steps(lanes, Priority.BACKGROUND, [])
    summary = lanes.submit(Priority.BACKGROUND, background)
    for _ in range(3):
        background.step()
    summary.result(SOON_S)
    assert not answer.done()
    gate.set()
    lanes.close()


def test_what_waits_is_cancelled_when_the_lanes_close() -> None:
    lanes = Lanes("test", slots=1)
    begun, gate = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        gate.wait(SOON_S)

    running = lanes.submit(Priority.CONFIRMED, work)
    waiting = lanes.submit(Priority.CONFIRMED, work)
    assert begun.wait(SOON_S)
    threading.Timer(0.05, gate.set).start()
    lanes.close()
    running.result(SOON_S)
    with pytest.raises(CancelledError):
        waiting.result(SOON_S)


def test_promoted_work_is_no_longer_paused(lanes: Lanes) -> None:
    log: list[str] = []
    gate = threading.Event()
    guess = Steps(lanes, Priority.SPECULATIVE, log)
    future = lanes.submit(Priority.SPECULATIVE, guess)
    guess.step()
    answer = lanes.submit(Priority.CONFIRMED, lambda: gate.wait(SOON_S))
    guess.may_step.release(2)
    assert not guess.stepped.acquire(timeout=0.05)
    guess.priority = Priority.CONFIRMED
    lanes.promote(future)
    future.result(SOON_S)
    assert not answer.done()
    gate.set()


def test_promoted_work_leaves_the_line_of_its_lane(lanes: Lanes) -> None:
    gate = threading.Event()
    ran: list[str] = []
    ahead = lanes.submit(Priority.SPECULATIVE, lambda: gate.wait(SOON_S))
    waiting = lanes.submit(Priority.SPECULATIVE, lambda: ran.append("promoted"))
    lanes.promote(waiting)
    lanes.promote(waiting)
    waiting.result(SOON_S)
    assert not ahead.done()
    gate.set()
    lanes.submit(Priority.SPECULATIVE, lambda: ran.append("next")).result(SOON_S)
    assert ran == ["promoted", "next"]
    lanes.promote(waiting)  # finished long ago


def test_promoted_work_stops_the_rest(lanes: Lanes) -> None:
    log: list[str] = []
    background = Steps(lanes, Priority.BACKGROUND, log)
    gate = threading.Event()
    summary = lanes.submit(Priority.BACKGROUND, background)
    background.step()
    guess = lanes.submit(Priority.SPECULATIVE, lambda: gate.wait(SOON_S))
    lanes.promote(guess)
    background.may_step.release(2)
    assert not background.stepped.acquire(timeout=0.05)
    gate.set()
    summary.result(SOON_S)


def test_promoted_work_that_waits_can_still_be_cancelled(lanes: Lanes) -> None:
    gate = threading.Event()
    ran: list[str] = []
    first = lanes.submit(Priority.CONFIRMED, lambda: gate.wait(SOON_S))
    blocking = lanes.submit(Priority.SPECULATIVE, lambda: gate.wait(SOON_S))
    waiting = lanes.submit(Priority.SPECULATIVE, lambda: ran.append("ran"))
    lanes.promote(waiting)
    assert waiting.cancel()
    gate.set()
    first.result(SOON_S)
    blocking.result(SOON_S)
    lanes.submit(Priority.SPECULATIVE, lambda: None).result(SOON_S)
    lanes.submit(Priority.CONFIRMED, lambda: None).result(SOON_S)
    assert ran == []


def test_nothing_is_queued_in_lanes_that_are_closed() -> None:
    lanes = Lanes("test", slots=1)
    lanes.close()
    with pytest.raises(RuntimeError, match="closed"):
        lanes.submit(Priority.CONFIRMED, lambda: None).result(SOON_S)


class StepsAhead(Steps):
    """Work of which nothing is needed before it is promoted."""

    def __call__(self) -> None:
        for number in range(3):
            assert self.may_step.acquire(timeout=SOON_S)
            self.lanes.wait_turn(lambda: self.priority, lambda: self.cancelled, is_ahead=True)
            if self.cancelled:
                return
            self.log.append(f"{self.priority.name} {number}")
            self.stepped.release()


def test_work_ahead_of_what_is_needed_waits_until_it_is_promoted(lanes: Lanes) -> None:
    guess = StepsAhead(lanes, Priority.SPECULATIVE, [])
    future = lanes.submit(Priority.SPECULATIVE, guess)
    guess.may_step.release(3)
    assert not guess.stepped.acquire(timeout=0.05)
    guess.priority = Priority.CONFIRMED
    lanes.promote(future)
    future.result(SOON_S)
    assert len(guess.log) == 3


def test_work_ahead_of_what_is_needed_keeps_nobody_from_its_slot(lanes: Lanes) -> None:
    guess = StepsAhead(lanes, Priority.SPECULATIVE, [])
    future = lanes.submit(Priority.SPECULATIVE, guess)
    guess.may_step.release(3)
    assert not guess.stepped.acquire(timeout=0.05)
    lanes.submit(Priority.SPECULATIVE, lambda: None).result(SOON_S)
    future.result(SOON_S)
    assert len(guess.log) == 3


def test_work_ahead_of_what_is_needed_can_be_cancelled(lanes: Lanes) -> None:
    guess = StepsAhead(lanes, Priority.SPECULATIVE, [])
    future = lanes.submit(Priority.SPECULATIVE, guess)
    guess.may_step.release()
    assert not guess.stepped.acquire(timeout=0.05)
    guess.cancelled = True
    lanes.wake()
    future.result(SOON_S)
    assert guess.log == []
