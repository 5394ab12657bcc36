"""The worker: loads the engines, registers with livekit-server, takes calls."""

import asyncio
import contextlib
import logging
import math
import os
import signal
from collections.abc import Iterator

from livekit.agents import AgentServer, JobContext, JobExecutorType, JobRequest

from agent.adapters.interruption_server import InterruptionServer
from agent.call.call import Call
from agent.call.resources import Box, build_box, prepare
from agent.errors import ConfigError
from agent.operate.gpu_plan import log_plan
from agent.operate.health import serve_ops
from agent.operate.offline import INFERENCE_URL
from agent.settings import Keys, Settings
from models.store import open_store
from serving.bridge import EngineThread
from serving.errors import AtCapacity
from serving.host import EngineState

logger = logging.getLogger("callbox.worker")

FULL_LOAD = 0.5
"""What a full box reports. livekit-server 1.13.5 passes over a worker whose last report was high (0.9 is, 0.5 is not), and
the report may be 2.5 s old; asked, the gate answers for this moment."""


class Worker:
    """One process that takes calls."""

    def __init__(self, settings: Settings, keys: Keys, *, call_class: type[Call] = Call) -> None:
        self._settings = settings
        self._keys = keys
        self._call_class = call_class
        store = open_store()
        log_plan(settings, store)
        self._box: Box = build_box(settings, store, _report)
        self._caretaker = EngineThread("callbox-caretaker")
        self._server = AgentServer(
            job_executor_type=JobExecutorType.THREAD,
            num_idle_processes=1,
            initialize_process_timeout=60.0,
            load_fnc=lambda: FULL_LOAD * self._box.gate.load,
            load_threshold=math.inf,  # the gate decides; LiveKit's estimate refuses the second of two callers at once
            ws_url=keys.livekit_url,
            api_key=keys.api_key,
            api_secret=keys.api_secret,
            host="127.0.0.1",
            port=0,
            log_level="INFO",
        )
        self._server.rtc_session(self._take_call, agent_name=settings.agent_name, on_request=self._answer)
        self._server.on("worker_registered", self._registered)

    async def run(self) -> None:
        """Until SIGTERM or SIGINT. Raises CallboxError if it cannot start."""
        port = self._settings.network.ops_port
        try:
            ops = await serve_ops(self._box, port)
        except OSError as error:
            raise ConfigError(
                f"Port {port} is taken ({error.strerror}). Set network.ops_port in configs/site.yaml."
            ) from None
        try:
            await self._caretaker.run(self._box.host.load)
            await prepare(self._box)
            await self._serve_interruptions()
            with _stopping() as stopped:
                serving = asyncio.create_task(self._server.run(devmode=False))
                stop = asyncio.create_task(stopped.wait())
                await asyncio.wait([serving, stop], return_when=asyncio.FIRST_COMPLETED)
                stop.cancel()
                await self._server.aclose()
                await serving
        finally:
            if self._box.interruptions is not None:
                await self._box.interruptions.aclose()
            await ops.cleanup()
            self._caretaker.close()
            self._box.host.close()

    async def _serve_interruptions(self) -> None:
        """LiveKit's sessions find the server by the environment, when they start."""
        if self._box.host.engines.interruption is not None:
            self._box.interruptions = InterruptionServer(self._keys)
            os.environ[INFERENCE_URL] = await self._box.interruptions.start()

    def _registered(self, *_: object) -> None:
        self._box.registered = True

    async def _answer(self, request: JobRequest) -> None:
        """LiveKit's own load check looks every half second and may let two callers in at once; the gate does not."""
        try:
            self._box.gate.enter()
        except AtCapacity:
            logger.info("a call was turned away: all lines are busy")
            await request.reject()
            return
        try:
            await request.accept(name="Callbox")
        except BaseException:
            self._box.gate.leave()
            raise

    async def _take_call(self, ctx: JobContext) -> None:
        try:
            await self._call_class(ctx, self._box, self._examine_engines).run()
        finally:
            self._box.gate.leave()
            ctx.shutdown()

    def _examine_engines(self) -> None:
        self._caretaker.submit(self._box.host.examine)


def _report(stage: str, state: EngineState, took_s: float) -> None:
    match state:
        case EngineState.LOADING:
            logger.info("loading %s", stage)
        case EngineState.READY:
            logger.info("%s is warm", stage)


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
