"""LiveKit's adaptive-interruption service inside the worker: its WebSocket protocol on loopback, for the worker's own calls."""

import asyncio
import contextlib
import logging
import struct
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

import jwt
import numpy as np
from aiohttp import WSCloseCode, WSMsgType, web
from livekit import api
from livekit.agents.inference import interruption as wire
from livekit.agents.inference._utils import HEADER_JOB_ID
from pydantic import ValidationError

from agent.settings import Keys
from agent.turns.overlap import GOES_ON, Judged
from serving.audio import SPEECH_RATE, Pcm16

logger = logging.getLogger("callbox.interruption")

ANSWER_WITHIN_S = 0.5
"""After 0.7 s without an answer, LiveKit gives up on the service for the rest of the call. So where there is no verdict by then,
the answer is that the agent goes on."""
MAX_MESSAGE_BYTES = 8 + 2 * 4 * SPEECH_RATE
"""LiveKit sends 8 bytes of timestamp and at most 3 s of 16-bit audio."""
THRESHOLD = 0.5
"""LiveKit requires one and only displays it; the decision is ours."""

Judge = Callable[[Pcm16], Coroutine[Any, Any, Judged]]


@dataclass(frozen=True, slots=True)
class _Call:
    judge: Judge
    loop: asyncio.AbstractEventLoop
    """The event loop that `judge` runs on."""

    async def ask(self, samples: Pcm16) -> Judged:
        asked = asyncio.run_coroutine_threadsafe(self.judge(samples), self.loop)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(asked), ANSWER_WITHIN_S)
        except (TimeoutError, RuntimeError) as error:
            logger.warning("an overlap was not judged: %s", type(error).__name__)
            return GOES_ON


class InterruptionServer:
    """Serves one worker. Clients need a token with an inference grant, signed with the installation's secret."""

    def __init__(self, keys: Keys) -> None:
        self._verifier = api.TokenVerifier(keys.api_key, keys.api_secret)
        self._calls: dict[str, _Call] = {}
        self._sockets: set[web.WebSocketResponse] = set()
        self._runner: web.AppRunner | None = None

    async def start(self) -> str:
        """Serve on a free port of 127.0.0.1. Returns the value that LIVEKIT_INFERENCE_URL needs before a session starts."""
        app = web.Application()
        app.router.add_get("/v1/bargein", self._serve)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"

    async def aclose(self) -> None:
        """Stop serving. For calls under way, LiveKit falls back to the VAD."""
        for socket in list(self._sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY)
        if self._runner is not None:
            await self._runner.cleanup()

    @contextlib.contextmanager
    def judging(self, job_id: str, judge: Judge) -> Iterator[None]:
        """Judge the overlaps of this job's call on the current event loop, inside the context."""
        self._calls[job_id] = _Call(judge, asyncio.get_running_loop())
        try:
            yield
        finally:
            del self._calls[job_id]

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        if not self._is_trusted(request):
            raise web.HTTPUnauthorized(text="Only this worker's own calls are served.")
        call = self._calls.get(request.headers.get(HEADER_JOB_ID, ""))
        if call is None:
            raise web.HTTPNotFound(text="No such call.")
        socket = web.WebSocketResponse(max_msg_size=MAX_MESSAGE_BYTES)
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            async with asyncio.TaskGroup() as answers:
                async for message in socket:
                    if message.type is WSMsgType.BINARY:
                        answers.create_task(_answer(socket, call, message.data))
                    elif message.type is WSMsgType.TEXT:
                        await _converse(socket, message.data)
        finally:
            self._sockets.discard(socket)
        return socket

    def _is_trusted(self, request: web.Request) -> bool:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        try:
            grants = self._verifier.verify(token).inference if scheme == "Bearer" else None
        except jwt.InvalidTokenError:
            return False
        return grants is not None and grants.perform


async def _answer(socket: web.WebSocketResponse, call: _Call, message: bytes) -> None:
    if len(message) < 8 or len(message) % 2:
        await _refuse(socket, "A message must be 8 bytes of timestamp followed by 16-bit samples.")
        return
    (created_at,) = struct.unpack_from("<Q", message)
    judged = await call.ask(np.frombuffer(message, dtype="<i2", offset=8))
    answer_type = wire.InterruptionWSDetectedMessage if judged.stops else wire.InterruptionWSInferenceDoneMessage
    # LiveKit's own service sends a probability per 25 ms, and its client reads the second highest
    probabilities = [judged.wish] * 2
    answer = answer_type(created_at=created_at, prediction_duration=judged.inference_s, probabilities=probabilities)
    await _send(socket, answer)


async def _converse(socket: web.WebSocketResponse, text: str) -> None:
    try:
        message = wire.InterruptionWSMessage.validate_json(text)
    except ValidationError:
        await _refuse(socket, "Not a message of the adaptive-interruption protocol.")
        return
    if isinstance(message, wire.InterruptionWSSessionCloseMessage):
        await _send(socket, wire.InterruptionWSSessionClosedMessage())
    elif isinstance(message, wire.InterruptionWSSessionCreateMessage):
        settings = message.settings
        if (settings.sample_rate, settings.num_channels) != (SPEECH_RATE, 1):
            await _refuse(socket, f"Audio must be mono at {SPEECH_RATE} Hz.")
        else:
            await _send(socket, wire.InterruptionWSSessionCreatedMessage(default_threshold=THRESHOLD))


async def _refuse(socket: web.WebSocketResponse, why: str) -> None:
    await _send(socket, wire.InterruptionWSErrorMessage(message=why, code=400, session_id=""))
    await socket.close()


async def _send(socket: web.WebSocketResponse, message: "wire.AnyInterruptionWSMessage") -> None:
    with contextlib.suppress(ConnectionResetError):  # the call is over
        await socket.send_str(message.model_dump_json())
