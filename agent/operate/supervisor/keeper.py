"""Keeps one process alive: starts it once its dependencies are ready, and restarts it when it dies."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from agent.operate.supervisor.console import ProcessState, StatusBoard
from agent.operate.supervisor.process import ChildProcess, ProcessSpec, describe_status
from agent.operate.supervisor.restarts import GiveUp, RestartOptions, RestartPolicy
from models.errors import CallboxError

PROBE_INTERVAL_S = 0.25
LAST_LINES_S = 1.0
"""How long the output of an ended process is still read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeeperOptions:
    """How a process is restarted and stopped."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    restart: RestartOptions = field(default_factory=RestartOptions)
    """Budget and backoff."""
    stop_grace_s: float = 10.0
    """Time between SIGTERM and SIGKILL."""


class CannotGoOn(CallboxError):
    """A process cannot be kept running; the message says why."""


class Keeper:
    """One process and its restarts."""

    def __init__(self, spec: ProcessSpec, board: StatusBoard, options: KeeperOptions) -> None:
        self.spec = spec
        self.has_been_ready = asyncio.Event()
        self._board = board
        self._options = options
        self._child: ChildProcess | None = None
        self._output: asyncio.Task[None] | None = None

    async def run(self, needed: Sequence[asyncio.Event]) -> None:
        """Start the process once all of `needed` are set, and restart it until cancelled; `stop` ends it then.

        Raises CannotGoOn if the process exits before it was ever ready (a restart would not help), or dies more often
        than the budget allows.
        """
        for event in needed:
            await event.wait()
        policy = RestartPolicy(self._options.restart)
        while True:
            death = await self._run_once()
            decision = policy.on_death(time.monotonic())
            if isinstance(decision, GiveUp):
                window_min = self._options.restart.window_s / 60
                raise CannotGoOn(
                    f"{self.spec.name} {death}, after {decision.restarts} restarts within {window_min:g} minutes. "
                    "Its last lines above say why."
                )
            budget = f"restart {decision.number} of {self._options.restart.max_restarts}"
            self._report(ProcessState.RESTARTING, f"in {decision.delay_s:g} s ({budget}): it {death}")
            await asyncio.sleep(decision.delay_s)

    async def stop(self) -> None:
        """Stop the process and everything it started. Cancelling this kills it at once."""
        if self._child is None:
            return
        try:
            await self._child.stop(self._options.stop_grace_s)
        finally:
            await self._drain_output()
            self._child = None
            self._report(ProcessState.STOPPED)

    async def _run_once(self) -> str:
        """Run it once; returns how it ended, in words."""
        self._report(ProcessState.STARTING)
        try:
            self._child = await ChildProcess.start(self.spec)
        except OSError as error:
            raise CannotGoOn(f"{self.spec.name} cannot be started: {self.spec.command[0]}: {error.strerror}") from error
        self._output = asyncio.create_task(self._show(self._child))
        death = await self._until_death(self._child)
        await self._drain_output()
        self._child = None
        return death

    async def _until_death(self, child: ChildProcess) -> str:
        ended = asyncio.create_task(child.wait())
        ready = asyncio.create_task(self._until_ready())
        try:
            await asyncio.wait({ended, ready}, timeout=self.spec.ready_timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if ready.done():
                ready.result()
                self.has_been_ready.set()
                self._report(ProcessState.READY)
                return describe_status(await ended)
            if ended.done():
                return self._describe_end(ended.result())
            await child.stop(self._options.stop_grace_s)
            return f"was not ready within {self.spec.ready_timeout_s:g} s"
        finally:
            ended.cancel()
            ready.cancel()

    def _describe_end(self, status: int) -> str:
        if status >= 0 and not self.has_been_ready.is_set():
            raise CannotGoOn(
                f"{self.spec.name} {describe_status(status)} before it was ready. Its lines above say why."
            )
        return describe_status(status)

    async def _until_ready(self) -> None:
        while True:
            if await self.spec.probe():
                return
            await asyncio.sleep(PROBE_INTERVAL_S)

    async def _show(self, child: ChildProcess) -> None:
        async for line in child.lines():
            self._board.output(self.spec.name, line)

    async def _drain_output(self) -> None:
        """Read the last lines, unless a stray process still holds the pipe open."""
        if self._output is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._output, LAST_LINES_S)

    def _report(self, state: ProcessState, note: str = "") -> None:
        self._board.state(self.spec.name, state, note)
