"""Keeps a set of processes running until it is told to stop, or one of them cannot be kept running."""

import asyncio
import contextlib
import signal
from collections.abc import Iterator, Sequence

from agent.operate.supervisor.console import StatusBoard
from agent.operate.supervisor.keeper import CannotGoOn, Keeper, KeeperOptions
from agent.operate.supervisor.process import ProcessSpec


class Supervisor:
    """Starts processes in the order of their dependencies, and leaves none behind."""

    def __init__(
        self,
        specs: Sequence[ProcessSpec],
        board: StatusBoard,
        *,
        announcement: Sequence[str],
        options: KeeperOptions | None = None,
    ) -> None:
        """`announcement` is printed once all are ready; its first line stands out."""
        self._board = board
        self._announcement = announcement
        self._keepers = {spec.name: Keeper(spec, board, options or KeeperOptions()) for spec in specs}

    async def run(self) -> int:
        """Returns the exit status: 0 after SIGINT or SIGTERM, 1 if a process cannot be kept running.

        A second signal, while the processes are stopping, kills them at once.
        """
        self._board.open()
        try:
            with _signals() as signals:
                stop_requested = await self._run_until(signals)
                if stop_requested:
                    self._board.note("Stopping. Press Ctrl-C again to kill what is left.")
                await self._stop_all(signals)
        finally:
            self._board.close()
        return 0 if stop_requested else 1

    async def _run_until(self, signals: "asyncio.Queue[signal.Signals]") -> bool:
        """True if it was told to stop; False if a process failed, which it has printed."""
        stop_signal = asyncio.create_task(signals.get())
        announced = asyncio.create_task(self._announce())
        kept = [asyncio.create_task(keeper.run(self._needed_by(keeper))) for keeper in self._keepers.values()]
        try:
            await asyncio.wait([stop_signal, *kept], return_when=asyncio.FIRST_COMPLETED)
            for ended in (task for task in kept if task.done()):
                ended.result()
        except CannotGoOn as reason:
            self._board.failure(str(reason))
            return False
        finally:
            for task in (stop_signal, announced, *kept):
                task.cancel()
            await asyncio.gather(stop_signal, announced, *kept, return_exceptions=True)
        return True

    def _needed_by(self, keeper: Keeper) -> list[asyncio.Event]:
        return [self._keepers[name].has_been_ready for name in keeper.spec.needs]

    async def _announce(self) -> None:
        for keeper in self._keepers.values():
            await keeper.has_been_ready.wait()
        self._board.ready(self._announcement)

    async def _stop_all(self, signals: "asyncio.Queue[signal.Signals]") -> None:
        """Stop in reverse order, so that no process loses a dependency."""
        hurry = asyncio.create_task(signals.get())
        try:
            for keeper in reversed(self._keepers.values()):
                stopping = asyncio.create_task(keeper.stop())
                await asyncio.wait({hurry, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if not stopping.done():
                    stopping.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await stopping
        finally:
            hurry.cancel()


@contextlib.contextmanager
def _signals() -> "Iterator[asyncio.Queue[signal.Signals]]":
    """SIGINT, SIGTERM and SIGHUP, as items in a queue."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    queue: asyncio.Queue[signal.Signals] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    for number in numbers:
        loop.add_signal_handler(number, queue.put_nowait, number)
    try:
        yield queue
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
