"""Which requests run when, and in the same batch."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError

import pytest

from serving.batcher import PriorityBatcher

pytestmark = pytest.mark.unit


class Desk:
    """Work that waits at a gate and remembers its batches."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.gate = threading.Event()
        self.busy = threading.Event()

    def work(self, requests: Sequence[str]) -> list[str]:
        """Upper case; "block" waits for the gate and "bad" fails."""
        self.batches.append(list(requests))
        if "block" in requests:
            self.busy.set()
            assert self.gate.wait(5)
        if "bad" in requests:
            raise ValueError("bad request")
        return [request.upper() for request in requests]


@pytest.fixture
def desk() -> Desk:
    """A new desk."""
    return Desk()


@pytest.fixture
def batcher(desk: Desk) -> Iterator[PriorityBatcher[str, str]]:
    """A batcher whose thread is busy until the desk's gate is opened."""
    batcher = PriorityBatcher("desk", desk.work, max_batch=3)
    batcher.submit("block", key="none")
    assert desk.busy.wait(5)
    yield batcher
    desk.gate.set()
    batcher.close()


def test_requests_of_a_key_are_worked_on_together(desk: Desk, batcher: PriorityBatcher[str, str]) -> None:
    futures = [batcher.submit(name, key=key) for name, key in [("a", 4), ("b", 5), ("c", 4), ("d", 4), ("e", 4)]]
    desk.gate.set()
    assert [future.result(5) for future in futures] == ["A", "B", "C", "D", "E"]
    assert desk.batches[1:] == [["a", "c", "d"], ["b"], ["e"]]


def test_the_urgent_go_first_and_by_themselves(desk: Desk, batcher: PriorityBatcher[str, str]) -> None:
    futures = [batcher.submit(name, key=4, priority=p) for name, p in [("late", 1), ("later", 1), ("urgent", 0)]]
    desk.gate.set()
    assert [future.result(5) for future in futures] == ["LATE", "LATER", "URGENT"]
    assert desk.batches[1:] == [["urgent"], ["late", "later"]]


def test_a_newer_request_replaces_the_one_that_waits_and_takes_its_place(
    desk: Desk, batcher: PriorityBatcher[str, str]
) -> None:
    stale = batcher.submit("stale", key=1, slot="me")
    other = batcher.submit("other", key=2, slot="you")
    fresh = batcher.submit("fresh", key=3, slot="me")
    assert stale.cancelled()
    desk.gate.set()
    assert (fresh.result(5), other.result(5)) == ("FRESH", "OTHER")
    assert desk.batches[1:] == [["fresh"], ["other"]]


def test_what_is_cancelled_is_never_worked_on(desk: Desk, batcher: PriorityBatcher[str, str]) -> None:
    gone, stays = batcher.submit("gone", key=1), batcher.submit("stays", key=1)
    assert batcher.depth == 2
    assert gone.cancel()
    assert batcher.depth == 1
    desk.gate.set()
    assert stays.result(5) == "STAYS"
    assert desk.batches[1:] == [["stays"]]


def test_a_failure_reaches_only_the_request_that_caused_it(desk: Desk, batcher: PriorityBatcher[str, str]) -> None:
    good, bad, fine = (batcher.submit(name, key=1) for name in ("good", "bad", "fine"))
    desk.gate.set()
    assert (good.result(5), fine.result(5)) == ("GOOD", "FINE")
    with pytest.raises(ValueError, match="bad request"):
        bad.result(5)
    assert batcher.submit("next", key=1).result(5) == "NEXT"


def test_closing_cancels_what_waits_and_what_comes_later(desk: Desk, batcher: PriorityBatcher[str, str]) -> None:
    waiting = batcher.submit("waiting", key=1)
    threading.Timer(0.05, desk.gate.set).start()
    batcher.close()
    batcher.close()
    with pytest.raises(CancelledError):
        waiting.result(5)
    with pytest.raises(CancelledError):
        batcher.submit("after", key=1).result(5)
    assert desk.batches == [["block"]]


def test_loops_of_several_threads_share_it(desk: Desk, batcher: PriorityBatcher[str, str]) -> None:
    answers: dict[str, str] = {}

    async def ask(name: str) -> None:
        answers[name] = await asyncio.wrap_future(batcher.submit(name, key=1))

    threads = [threading.Thread(target=lambda name=name: asyncio.run(ask(name))) for name in ("x", "y")]
    for thread in threads:
        thread.start()
    while batcher.depth < 2:
        pass
    desk.gate.set()
    for thread in threads:
        thread.join(5)
    assert answers == {"x": "X", "y": "Y"}
    assert sorted(desk.batches[1]) == ["x", "y"]
