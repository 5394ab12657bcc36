"""One call: wires a session to its room, watches it, and ends it."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable

from livekit.agents import AgentSession, JobContext, llm, room_io
from livekit.agents.voice import events

from agent.assistant import FrontDesk
from agent.box import Box
from agent.captions import TOOL_TOPIC, TURN_TOPIC, Captions
from agent.figures import TurnRecorder, as_json
from agent.heard import HeardOutput
from agent.policies.failure import FailureAnswer, FailurePolicy
from agent.policies.repeat import RepeatPolicy
from agent.session import CallHooks, build_session, room_options
from models.errors import CallboxError
from serving import metrics

logger = logging.getLogger("callbox.call")

ANSWER_WITHIN_S = 0.7
"""A failed engine may still be made up for (a speculative reply failed, the real one does not); then nobody need know."""


class Call:
    """Everything that changes while one caller is on the line. Lives on the event loop of its job."""

    def __init__(self, ctx: JobContext, box: Box, on_engine_failure: Callable[[], None]) -> None:
        self._ctx = ctx
        self._box = box
        self._on_engine_failure = on_engine_failure
        self._repeat = RepeatPolicy()
        self._failure = FailurePolicy()
        self._turns = TurnRecorder()
        self._confirmed = True
        self._ending = False
        self._unanswered = False
        self._apology: asyncio.Task[None] | None = None
        self._outcome = "caller_left"
        self._ended = asyncio.Event()
        hooks = CallHooks(
            is_confirmed=lambda: self._confirmed,
            is_agent_speaking=lambda: self._heard is not None and self._heard.is_speaking,
            on_barge_in=self._barge_in,
            on_no_words=self._heard_no_words,
            on_end_of_turn=self._turns.judged,
            on_failure=self._engine_failed,
        )
        self._session: AgentSession[None] = build_session(box.settings, box.host.engines, hooks)
        self._captions: Captions | None = None
        self._heard: HeardOutput | None = None

    async def run(self) -> None:
        """The whole call, until one side has left."""
        metrics.ACTIVE_CALLS.inc()
        try:
            await self._ctx.connect()
            self._captions = Captions(self._ctx.room)
            self._listen_to_session()
            await self._session.start(self._front_desk(), room=self._ctx.room, record=False, room_options=self._room())
            self._hear_what_is_heard()
            self._say("greeting")
            await self._ended.wait()
        finally:
            metrics.ACTIVE_CALLS.dec()
            metrics.CALLS.labels(self._outcome).inc()
            if self._apology is not None:
                self._apology.cancel()
            if self._captions is not None:
                await self._captions.aclose()

    def _room(self) -> room_io.RoomOptions:
        return room_options(self._box.settings)

    def _front_desk(self) -> FrontDesk:
        return FrontDesk(
            instructions=self._box.instructions,
            clinic=self._box.clinic,
            on_tool=self._tool_called,
            on_turn=self._turn_committed,
        )

    def _listen_to_session(self) -> None:
        session = self._session
        session.on("user_state_changed", self._caller_state)
        session.on("agent_state_changed", self._agent_state)
        session.on("user_input_transcribed", self._caller_words)
        session.on("conversation_item_added", self._item_added)
        session.on("close", self._closed)

    def _hear_what_is_heard(self) -> None:
        output = self._session.output.audio
        if output is not None and self._captions is not None:
            self._session.output.audio = self._heard = HeardOutput(output, self._captions)

    # what the session tells

    def _caller_state(self, event: events.UserStateChangedEvent) -> None:
        if event.new_state == "speaking":
            self._confirmed = False

    def _agent_state(self, event: events.AgentStateChangedEvent) -> None:
        if event.new_state == "speaking":
            self._unanswered = False
        if self._ending and event.old_state == "speaking" and event.new_state != "speaking":
            self._hang_up()

    def _caller_words(self, event: events.UserInputTranscribedEvent) -> None:
        self._repeat.understood()
        caller = self._session.room_io.linked_participant
        if self._captions is not None and caller is not None:
            self._captions.caller(caller.identity, event.transcript, is_final=event.is_final)

    def _turn_committed(self, at: float) -> None:
        self._confirmed = True
        self._turns.committed(at)
        if self._unanswered:
            self._expect_an_answer()

    def _item_added(self, event: events.ConversationItemAddedEvent) -> None:
        message = event.item
        if not isinstance(message, llm.ChatMessage):
            return
        if message.role == "user":
            self._turns.caller_spoke(message)
        elif message.role == "assistant":
            if message.interrupted:
                metrics.INTERRUPTIONS.inc()
            figures = self._turns.agent_spoke(message, getattr(self._session.llm, "last_request_at", 0.0))
            if figures is not None and self._captions is not None:
                self._captions.event(TURN_TOPIC, as_json(figures))

    def _closed(self, event: events.CloseEvent) -> None:
        if event.error is not None:
            self._outcome = "failed"
        self._ended.set()

    def _tool_called(self, name: str, status: str) -> None:
        if self._captions is not None:
            self._captions.event(TOOL_TOPIC, {"name": name, "status": status})
        if name == "end_call":
            self._ending, self._outcome = True, "agent_hung_up"

    # what the stages tell

    def _barge_in(self) -> None:
        # LiveKit alone would only pause until the final transcript, and could not prepare an answer meanwhile.
        with contextlib.suppress(RuntimeError):  # the session is closing, or this line may not be interrupted
            self._session.interrupt()

    def _heard_no_words(self) -> None:
        if self._repeat.no_words(agent_is_quiet=self._session.agent_state == "listening"):
            self._say("not_heard")

    def _engine_failed(self, stage: str, error: CallboxError) -> None:
        logger.warning("the %s engine failed in a call: %s", stage, type(error).__name__)
        metrics.ENGINE_ERRORS.labels(stage).inc()
        self._on_engine_failure()
        self._unanswered = True
        if self._confirmed:
            self._expect_an_answer()

    def _expect_an_answer(self) -> None:
        """After a failure: if no reply begins soon, say why."""
        if self._apology is None or self._apology.done():
            self._apology = asyncio.create_task(self._apologise_unless_answered())

    async def _apologise_unless_answered(self) -> None:
        await asyncio.sleep(ANSWER_WITHIN_S)
        if self._heard is not None:
            await self._heard.quiet.wait()
        if not self._unanswered:
            return
        self._unanswered = False
        match self._failure.failed(time.monotonic()):
            case FailureAnswer.APOLOGISE:
                self._say("technical_apology")
            case FailureAnswer.SAY_GOODBYE:
                self._outcome, self._ending = "failed", True
                self._say("technical_goodbye")

    def _say(self, line: str) -> None:
        stock = self._box.stock[line]
        self._session.say(stock.text, audio=stock.frames())

    def _hang_up(self) -> None:
        self._ending = False
        self._session.shutdown(drain=True)
        self._ctx.delete_room()
