"""LiveKit's agent server: registers with livekit-server and takes calls while a line is free."""

import logging
import math
from collections.abc import Awaitable, Callable

from livekit.agents import AgentServer, JobContext, JobExecutorType, JobRequest

from agent.settings import Keys
from serving.capacity import CapacityGate
from serving.errors import AtCapacity

logger = logging.getLogger("callbox.worker")

Job = JobContext
FULL_LOAD = 0.5
"""The load that a full box reports. livekit-server 1.13.5 skips a worker whose last report was high (0.9 is, 0.5 is not), and
that report may be 2.5 s old; the gate, asked for each job, answers for the present moment."""


class JobServer:
    """Takes jobs from one livekit-server."""

    def __init__(
        self,
        keys: Keys,
        gate: CapacityGate,
        *,
        agent_name: str,
        run_call: Callable[[Job], Awaitable[None]],
        on_registered: Callable[[], None],
    ) -> None:
        """`run_call` runs a call from start to end; `on_registered` is called once livekit-server can send jobs."""
        self._gate = gate
        self._run_call = run_call
        self._server = AgentServer(
            job_executor_type=JobExecutorType.THREAD,
            num_idle_processes=1,
            initialize_process_timeout=60.0,
            load_fnc=lambda: FULL_LOAD * gate.load,
            load_threshold=math.inf,  # the gate decides; LiveKit's estimate would refuse the second of two simultaneous callers
            ws_url=keys.livekit_url,
            api_key=keys.api_key,
            api_secret=keys.api_secret,
            host="127.0.0.1",
            port=0,
            log_level="INFO",
        )
        self._server.rtc_session(self._take, agent_name=agent_name, on_request=self._answer)
        self._server.on("worker_registered", lambda *_: on_registered())

    async def run(self) -> None:
        """Serve until `aclose`."""
        await self._server.run(devmode=False)

    async def aclose(self) -> None:
        """Take no more jobs, and end the running ones."""
        await self._server.aclose()

    async def _answer(self, request: JobRequest) -> None:
        """Ask the gate: LiveKit's own load check runs every half second and may let two simultaneous callers in."""
        try:
            self._gate.enter()
        except AtCapacity:
            logger.info("a call was turned away: all lines are busy")
            await request.reject()
            return
        try:
            await request.accept(name="Callbox")
        except BaseException:
            self._gate.leave()
            raise

    async def _take(self, job: JobContext) -> None:
        try:
            await self._run_call(job)
        finally:
            self._gate.leave()
            job.shutdown()
