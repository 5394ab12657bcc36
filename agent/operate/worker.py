"""The worker: loads the engines, registers with livekit-server, takes calls."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Iterator

from agent.adapters.interruption_server import InterruptionServer
from agent.adapters.job_server import Job, JobServer
from agent.call.call import Call
from agent.call.events import CallEvent, EngineFailed, PublicPayload
from agent.call.resources import CallResources, build_resources, prepare
from agent.call.stream import EventStream
from agent.errors import ConfigError
from agent.operate.gpu_plan import log_plan
from agent.operate.health import serve_ops
from agent.operate.offline import INFERENCE_URL
from agent.settings import Keys, Settings
from models.store import open_store
from serving.bridge import EngineThread
from serving.host import EngineState

logger = logging.getLogger("callbox.worker")


class Worker:
    """One process that takes calls."""

    def __init__(self, settings: Settings, keys: Keys, *, call_class: type[Call] = Call) -> None:
        self._settings = settings
        self._keys = keys
        self._call_class = call_class
        store = open_store()
        log_plan(settings, store)
        self._resources: CallResources = build_resources(settings, store, self._engine_changed)
        self._resources.attachments.append(self._watch_engines)
        self._caretaker = EngineThread("callbox-caretaker")
        self._server = JobServer(
            keys,
            self._resources.gate,
            agent_name=settings.agent_name,
            run_call=self._run_call,
            on_registered=self._registered,
        )

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT. Raises CallboxError if it cannot start."""
        port = self._settings.network.ops_port
        try:
            ops = await serve_ops(self._resources, port)
        except OSError as error:
            raise ConfigError(
                f"Port {port} is taken ({error.strerror}). Set network.ops_port in configs/site.yaml."
            ) from None
        try:
            await self._caretaker.run(self._resources.host.load)
            await prepare(self._resources)
            await self._serve_interruptions()
            await self._serve_calls()
        finally:
            if self._resources.interruptions is not None:
                await self._resources.interruptions.aclose()
            await ops.cleanup()
            self._caretaker.close()
            self._resources.host.close()

    async def _serve_calls(self) -> None:
        with _stopping() as stopped:
            serving = asyncio.create_task(self._server.run())
            stop = asyncio.create_task(stopped.wait())
            await asyncio.wait([serving, stop], return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()
            await self._server.aclose()
            await serving

    async def _serve_interruptions(self) -> None:
        """LiveKit's sessions find the server through the environment when they start."""
        if self._resources.host.engines.interruption is not None:
            self._resources.interruptions = InterruptionServer(self._keys)
            os.environ[INFERENCE_URL] = await self._resources.interruptions.start()

    def _registered(self) -> None:
        self._resources.registered = True

    async def _run_call(self, job: Job) -> None:
        await self._call_class(job, self._resources).run()

    def _watch_engines(self, events: EventStream) -> None:
        """Have an engine that fails in a call examined, and loaded again if it has died."""

        async def handle(event: CallEvent[PublicPayload]) -> None:
            if isinstance(event.payload, EngineFailed):
                self._caretaker.submit(self._resources.host.examine)

        events.subscribe_public("caretaker", handle)

    def _engine_changed(self, stage: str, state: EngineState, took_s: float) -> None:
        match state:
            case EngineState.LOADING:
                logger.info("loading %s", stage)
            case EngineState.READY:
                logger.info("%s is warm", stage)
                self._resources.engine_reloaded(stage)


@contextlib.contextmanager
def _stopping() -> Iterator[asyncio.Event]:
    """An event that is set when somebody asks the process to stop."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    try:
        yield stopped
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
