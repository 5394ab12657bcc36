"""The only module that makes threads: blocking engine work on one side, event loops on the other.

Calls run in different event loops in different threads, so nothing here is tied to a loop for longer than one request.
"""

import asyncio
import contextlib
import itertools
import queue
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

T = TypeVar("T")

CLOSE_TIMEOUT_S = 10.0
"""How long `close` waits for a thread that does not end."""

_Queued = tuple[float, int, Callable[[], Any] | None, "Future[Any]"]
"""Priority, place in the queue, what to run (None: the thread ends), and its future."""


class EngineThread:
    """A named thread, or several, that runs blocking functions to completion, most urgent first."""

    def __init__(self, name: str, *, threads: int = 1) -> None:
        self._name = name
        self._queue: queue.PriorityQueue[_Queued] = queue.PriorityQueue()
        self._order = itertools.count()
        self._closed = False
        self._closing = threading.Lock()
        """Whatever is queued while holding it is either seen by `close` or refused."""
        self._threads = [threading.Thread(target=self._work, name=name, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def submit(self, function: Callable[[], T], *, priority: int = 0) -> "Future[T]":
        """Queue `function`; lower priorities run sooner, equal ones in order. It can be cancelled until it begins."""
        future: Future[T] = Future()
        with self._closing:
            if not self._closed:
                self._queue.put((priority, next(self._order), function, future))
                return future
        future.set_exception(RuntimeError(f"{self._name} is closed"))
        return future

    async def run(self, function: Callable[[], T], *, priority: int = 0) -> T:
        """Like `submit`, awaited; if the caller is cancelled before the function begins, it never runs."""
        return await asyncio.wrap_future(self.submit(function, priority=priority))

    @property
    def depth(self) -> int:
        """How many functions wait."""
        return self._queue.qsize()

    def close(self) -> None:
        """Let running functions finish, cancel the others, and end the threads. Safe to call twice."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        for _ in self._threads:
            self._queue.put((float("-inf"), next(self._order), None, Future()))
        for thread in self._threads:
            if threading.current_thread() is not thread:
                thread.join(timeout=CLOSE_TIMEOUT_S)
        for item in self._take_all():
            if item[2] is None:
                self._queue.put(item)  # for a thread that is still busy: this one, or a slow one
            else:
                item[3].cancel()

    def _take_all(self) -> list[_Queued]:
        items: list[_Queued] = []
        with contextlib.suppress(queue.Empty):
            while True:
                items.append(self._queue.get_nowait())
        return items

    def _work(self) -> None:
        while True:
            _, _, function, future = self._queue.get()
            if function is None:
                return
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = function()
            except BaseException as error:  # noqa: BLE001 - handed to whoever waits for the future
                future.set_exception(error)
            else:
                future.set_result(result)


class LoopThread:
    """A named thread with its own event loop, for an engine that is itself asynchronous. Usable from any thread."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._loop = asyncio.new_event_loop()
        self._closed = False
        self._closing = threading.Lock()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> "Future[T]":
        """Run `coroutine` on the loop. Cancelling the future cancels it there. After `close` the future comes back cancelled."""
        with self._closing:
            if not self._closed:
                return asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        coroutine.close()
        future: Future[T] = Future()
        future.cancel()
        future.set_running_or_notify_cancel()
        return future

    def close(self) -> None:
        """Cancel what is running, wait for it, and end the thread. Safe to call twice, but not from the loop itself."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=CLOSE_TIMEOUT_S)

    def _work(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            running = asyncio.all_tasks(self._loop)
            for task in running:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*running, return_exceptions=True))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            self._loop.close()


class _End:
    """Marks the end of a channel, with the error that ended it."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class Channel(Generic[T]):
    """Items from any thread to one consumer on the event loop that made the channel.

    The producer calls `put` and `finish` and looks at `cancelled`; the consumer iterates and, when it has had enough,
    calls `cancel`.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._items: asyncio.Queue[T | _End] = asyncio.Queue()
        self._cancelled = threading.Event()
        self._ended = False

    @property
    def cancelled(self) -> bool:
        """Whether the consumer has left: stop producing."""
        return self._cancelled.is_set()

    def put(self, item: T) -> None:
        """Hand over an item. Dropped once the consumer has left."""
        self._post(item)

    def finish(self, error: BaseException | None = None) -> None:
        """No more items; iteration ends, with `error` if there is one."""
        self._post(_End(error))

    def cancel(self) -> None:
        """The consumer has had enough; a pending iteration ends at once."""
        if not self._cancelled.is_set():
            self._cancelled.set()
            self._items.put_nowait(_End(None))

    def _post(self, item: "T | _End") -> None:
        if self._cancelled.is_set():
            return
        try:
            self._loop.call_soon_threadsafe(self._items.put_nowait, item)
        except RuntimeError:  # the consumer's loop is closed: its call is over
            self._cancelled.set()

    async def __aiter__(self) -> AsyncIterator[T]:
        while not self._ended:
            item = await self._items.get()
            if isinstance(item, _End):
                self._ended = True
                if item.error is not None:
                    raise item.error
            elif not self._cancelled.is_set():
                yield item
