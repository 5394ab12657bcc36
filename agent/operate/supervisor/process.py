"""A child process in its own session: its output is read line by line, it is stopped with everything it started, and killed if we
die."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import psutil

from agent.operate.supervisor.orphans import end_with

READ_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """What to run, and how to tell that it is ready."""

    name: str
    command: tuple[str, ...]
    probe: Callable[[], Awaitable[bool]]
    """True once the process is ready."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Added to our own."""
    needs: tuple[str, ...] = ()
    """Names of the processes that must be ready before this one starts."""
    ready_timeout_s: float = 120.0
    """How long the probe may take to succeed before the process counts as dead."""


class ChildProcess:
    """A running process and everything it started."""

    def __init__(self, process: asyncio.subprocess.Process, output: "_Output") -> None:
        self._process = process
        self._output = output

    @classmethod
    async def start(cls, spec: ProcessSpec) -> "ChildProcess":
        """Start `spec`. Raises OSError if the program cannot be run.

        Must be called in the main thread: the kernel sends the death signal when the thread that forked ends.
        """
        # A pipe of our own: with asyncio's, wait() would not return until every other holder had closed it.
        read_end, write_end = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *spec.command,
                env={**os.environ, **spec.environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=write_end,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=partial(end_with, os.getpid()),
            )
        except OSError:
            os.close(read_end)
            raise
        finally:
            os.close(write_end)
        return cls(process, await _Output.open(read_end))

    @property
    def pid(self) -> int:
        """Also the ID of its process group."""
        return self._process.pid

    async def lines(self) -> AsyncIterator[str]:
        """The lines it writes, without line ends, until every writer has closed the pipe, or until cancelled."""
        pending = b""
        try:
            while block := await self._output.reader.read(READ_BYTES):
                *complete, pending = (pending + block).split(b"\n")
                for line in complete:
                    yield line.decode(errors="replace").rstrip("\r")
                if len(pending) > READ_BYTES:
                    yield pending.decode(errors="replace")
                    pending = b""
            if pending:
                yield pending.decode(errors="replace")
        finally:
            self._output.close()

    async def wait(self) -> int:
        """Wait for its exit status, negative for a signal, and kill whatever it left behind in its process group."""
        status = await self._process.wait()
        _signal_group(self.pid, signal.SIGKILL)
        return status

    async def stop(self, grace_s: float) -> None:
        """Send SIGTERM to it and everything it started, and SIGKILL after `grace_s`. Safe to call after it has ended."""
        if self._process.returncode is not None:
            return
        family = self._family()
        _signal_group(self.pid, signal.SIGTERM)
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), grace_s)
        finally:
            for process in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            _signal_group(self.pid, signal.SIGKILL)
            await self._process.wait()

    def _family(self) -> list[psutil.Process]:
        """The process and its descendants, including those in other sessions."""
        try:
            head = psutil.Process(self.pid)
            return [head, *head.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


class _Output:
    """Our end of the pipe."""

    def __init__(self, reader: asyncio.StreamReader, transport: asyncio.ReadTransport) -> None:
        self.reader = reader
        self.close = transport.close

    @classmethod
    async def open(cls, descriptor: int) -> "_Output":
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", buffering=0)
        )
        return cls(reader, transport)


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def describe_status(status: int) -> str:
    """An exit status in words."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"
