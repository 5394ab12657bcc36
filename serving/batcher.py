"""Batches requests from many calls on one thread, most urgent first."""

import itertools
import threading
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from serving.bridge import EngineThread

Request = TypeVar("Request")
Result = TypeVar("Result")


@dataclass(slots=True, eq=False)
class _Waiting(Generic[Request, Result]):
    request: Request
    key: Hashable
    slot: Hashable | None
    rank: tuple[int, int]
    """Priority, then place in the queue; lower is sooner."""
    future: "Future[Result]" = field(default_factory=Future)


class PriorityBatcher(Generic[Request, Result]):
    """Runs `work(requests)` on one thread for batches of requests with the same key.

    `submit` may be called from any thread; callers await the future on their own loop (asyncio.wrap_future).
    Cancelling a future removes its request from the queue unless its batch has begun.
    """

    def __init__(self, name: str, work: Callable[[Sequence[Request]], Sequence[Result]], *, max_batch: int) -> None:
        self._work = work
        self._max_batch = max_batch
        self._thread = EngineThread(name)
        self._lock = threading.Lock()
        self._order = itertools.count()
        self._waiting: list[_Waiting[Request, Result]] = []
        self._closed = False

    def submit(
        self, request: Request, *, key: Hashable, priority: int = 0, slot: Hashable | None = None
    ) -> "Future[Result]":
        """Queue a request.

        key: only requests with equal keys share a batch.
        priority: lower is sooner. A batch holds one priority only, so that urgent requests never wait for others.
        slot: a request still waiting in the same slot is cancelled, and this one takes its place in the queue.

        After `close` the future comes back cancelled.
        """
        with self._lock:
            if self._closed:
                return _cancelled()
            rank = (priority, next(self._order))
            replaced = next((w for w in self._waiting if slot is not None and w.slot == slot), None)
            if replaced is not None:
                rank = min(rank, (priority, replaced.rank[1]))
                self._waiting.remove(replaced)
            entry: _Waiting[Request, Result] = _Waiting(request, key, slot, rank)
            self._waiting.append(entry)
        if replaced is not None:
            _drop(replaced)
        self._thread.submit(self._step)
        return entry.future

    @property
    def depth(self) -> int:
        """How many requests wait."""
        with self._lock:
            return sum(not waiting.future.cancelled() for waiting in self._waiting)

    def close(self) -> None:
        """Let the running batch finish, cancel the rest and end the thread. Safe to call twice."""
        with self._lock:
            self._closed = True
        self._thread.close()
        with self._lock:
            rest, self._waiting = self._waiting, []
        for waiting in rest:
            _drop(waiting)

    def _step(self) -> None:
        """Run the most urgent batch. One step is queued per request, so some find nothing left to do."""
        batch = self._take()
        if batch:
            self._settle(batch)

    def _take(self) -> list[_Waiting[Request, Result]]:
        with self._lock:
            for gone in [waiting for waiting in self._waiting if waiting.future.cancelled()]:
                self._waiting.remove(gone)
                _drop(gone)
            if not self._waiting:
                return []
            first = min(self._waiting, key=lambda waiting: waiting.rank)
            alike = [w for w in self._waiting if w.key == first.key and w.rank[0] == first.rank[0]]
            chosen = sorted(alike, key=lambda waiting: waiting.rank)[: self._max_batch]
            for waiting in chosen:
                self._waiting.remove(waiting)
        return [waiting for waiting in chosen if waiting.future.set_running_or_notify_cancel()]

    def _settle(self, batch: "list[_Waiting[Request, Result]]") -> None:
        """Give every request its result. If the batch fails, run each request alone, so that only the culprit fails."""
        try:
            results = self._work([waiting.request for waiting in batch])
        except Exception as error:  # noqa: BLE001 - handed to whoever waits for the future
            if len(batch) == 1:
                batch[0].future.set_exception(error)
                return
            for waiting in batch:
                self._settle([waiting])
        else:
            for waiting, result in zip(batch, results, strict=True):
                waiting.future.set_result(result)


def _drop(waiting: _Waiting[Any, Any]) -> None:
    """Cancel a request that has left the queue, and tell whoever waits for it."""
    waiting.future.cancel()
    waiting.future.set_running_or_notify_cancel()


def _cancelled() -> "Future[Any]":
    future: Future[Any] = Future()
    future.cancel()
    future.set_running_or_notify_cancel()
    return future
