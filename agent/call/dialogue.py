"""What is said in one call: a session on the shared engines, and what is done about noise, failures and goodbyes.

Knows no room: whoever starts the session gives it ears and a mouth.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from livekit.agents import AgentSession, llm
from livekit.agents.voice import SpeechHandle, events

from agent.adapters.captions import TOOL_TOPIC, TURN_TOPIC, Captions
from agent.adapters.front_desk import FrontDesk
from agent.adapters.heard_output import HeardOutput
from agent.adapters.llm import LocalLlm
from agent.call.resources import Box
from agent.call.session import CallHooks, build_session, build_speculations, overlap_judge
from agent.call.turn_figures import TurnRecorder, as_json
from agent.replies.failure import FailureAnswer, FailurePolicy
from agent.replies.prefill import Prefill
from agent.replies.repeat import RepeatPolicy
from models.errors import CallboxError
from serving import metrics
from serving.chat import ChatRequest

logger = logging.getLogger("callbox.call")

ANSWER_WITHIN_S = 0.7
"""A failed engine may still be made up for (a speculative reply failed, the real one does not); then nobody need know."""

LAST_SOUND_S = 0.5
"""From the last sample that leaves the worker until the caller has heard it, jitter buffers and all."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a dialogue asks of the call it is part of, and tells it."""

    caller: Callable[[], str | None]
    """Identity of the caller in the room, while there is one."""
    on_engine_failure: Callable[[], None]
    """An engine should be looked after."""
    hang_up: Callable[[], None]
    """The agent's last words were heard."""


class Dialogue:
    """Everything about the talk that changes while one caller is on the line. Belongs to the event loop of its call."""

    def __init__(self, box: Box, captions: Captions, surroundings: Surroundings) -> None:
        self._box = box
        self._captions = captions
        self._surroundings = surroundings
        self._repeat = RepeatPolicy()
        self._failure = FailurePolicy()
        self._turns = TurnRecorder()
        self._confirmed = True
        self._words_wait = False
        self._unanswered = False
        self._apology: asyncio.Task[None] | None = None
        self._leaving: asyncio.Task[None] | None = None
        self._heard: HeardOutput | None = None
        self.outcome = "caller_left"
        """How the call ended, or would end now: a label of metrics.CALLS."""
        self.ended = asyncio.Event()
        """Set when the session is over."""
        hooks = CallHooks(
            is_agent_speaking=lambda: self._heard is not None and self._heard.is_speaking,
            on_barge_in=self._barge_in,
            on_no_words=self._heard_no_words,
            on_judgement=lambda probability: self._speculations.judged(probability),
            on_end_of_turn=self._turns.judged,
            on_failure=self._engine_failed,
            on_settled_words=lambda words: self._prefill.caller_speaks(words),
        )
        self.overlaps = None if box.interruptions is None else overlap_judge(box.settings, box.host.engines, hooks)
        """Whom the interruption server asks about this call."""
        self.session: AgentSession[None] = build_session(box.settings, box.host.engines, hooks, self.overlaps)
        self._prefill = Prefill(box.host.engines.llm, self._prompt)
        self._speculations = build_speculations(box.settings, box.host.engines, box.demand, self._interrupt)
        self.session.on("speech_created", self._speculations.announced)
        self.session.on("user_state_changed", self._caller_state)
        self.session.on("agent_state_changed", self._agent_state)
        self.session.on("user_input_transcribed", self._caller_words)
        self.session.on("conversation_item_added", self._item_added)
        self.session.on("close", self._closed)

    def front_desk(self) -> FrontDesk:
        """The agent to start the session with."""
        return FrontDesk(
            instructions=self._box.instructions,
            clinic=self._box.clinic,
            on_tool=self._tool_called,
            on_turn=self._turn_committed,
        )

    def greet(self) -> None:
        """Say the first words. The session has started, and has an output."""
        output = self.session.output.audio
        if output is not None:
            self.session.output.audio = self._heard = HeardOutput(output, self._captions)
        self._say("greeting")

    def close(self) -> None:
        """Nothing more is said."""
        self._prefill.close()
        self._speculations.close()
        for task in (self._apology, self._leaving):
            if task is not None:
                task.cancel()

    # what the session tells

    def _caller_state(self, event: events.UserStateChangedEvent) -> None:
        if event.new_state == "speaking":
            self._confirmed = False
            self._prefill.caller_speaks()
            self._speculations.caller_speaks()
            return
        self._speculations.caller_is_silent()
        if self._unanswered:
            self._expect_an_answer()

    def _agent_state(self, event: events.AgentStateChangedEvent) -> None:
        if event.new_state == "speaking":
            self._unanswered = False

    def _caller_words(self, event: events.UserInputTranscribedEvent) -> None:
        self._repeat.understood()
        self._words_wait = self._words_wait or event.is_final
        if event.is_final:
            self._prefill.heard(event.transcript)
        identity = self._surroundings.caller()
        if identity is not None:
            self._captions.caller(identity, event.transcript, is_final=event.is_final)

    def _turn_committed(self) -> None:
        self._confirmed = True
        self._words_wait = False
        self._prefill.turn_over()
        self._speculations.turn_over()
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
            figures = self._turns.agent_spoke(message, self._speculations.lead_s, self._speculations.put_off_s)
            if figures is not None:
                self._captions.event(TURN_TOPIC, as_json(figures))

    def _closed(self, event: events.CloseEvent) -> None:
        if event.error is not None:
            self.outcome = "failed"
        self.ended.set()

    def _tool_called(self, name: str, status: str, speech: SpeechHandle) -> None:
        self._captions.event(TOOL_TOPIC, {"name": name, "status": status})
        if name == "end_call":
            self._hang_up_after(speech, "agent_hung_up")

    # what the stages tell

    def _barge_in(self) -> None:
        # LiveKit alone would only pause until the final transcript, and could not prepare an answer meanwhile.
        self._interrupt()

    def _interrupt(self) -> None:
        """Stop what is being said or prepared."""
        with contextlib.suppress(RuntimeError):  # the session is closing, or this line may not be interrupted
            self.session.interrupt()

    def _heard_no_words(self) -> None:
        is_quiet = self.session.agent_state == "listening" and not self._words_wait
        if self._repeat.no_words(agent_is_quiet=is_quiet):
            self._say("not_heard")

    def _engine_failed(self, stage: str, error: CallboxError) -> None:
        logger.warning("the %s engine failed in a call: %s", stage, type(error).__name__)
        metrics.ENGINE_ERRORS.labels(stage).inc()
        self._surroundings.on_engine_failure()
        if stage == "interruption" or (stage == "stt" and self._confirmed):
            return  # the VAD decides meanwhile; nobody was speaking: nothing was lost
        if not self._confirmed:
            self._interrupt()  # else LiveKit would take the reply that failed for the answer to the turn
        if self._unanswered:
            return
        self._unanswered = True
        if self.session.user_state != "speaking":
            self._expect_an_answer()

    def _expect_an_answer(self) -> None:
        """After a failure, with the caller silent: if no reply begins soon, say why."""
        if self._apology is not None:
            self._apology.cancel()
        turn_s = 0.0 if self._confirmed else self._box.settings.turns.endpointing.max_delay_s
        self._apology = asyncio.create_task(self._apologise_unless_answered(turn_s + ANSWER_WITHIN_S))

    async def _apologise_unless_answered(self, within_s: float) -> None:
        await asyncio.sleep(within_s)
        if self._heard is not None:
            await self._heard.quiet.wait()
        if not self._unanswered or self.session.user_state == "speaking":
            return
        self._unanswered, self._confirmed = False, True
        match self._failure.failed(time.monotonic()):
            case FailureAnswer.APOLOGISE:
                self._say("technical_apology")
            case FailureAnswer.SAY_GOODBYE:
                self._hang_up_after(self._say("technical_goodbye", allow_interruptions=False), "failed")

    def _prompt(self, words: str) -> ChatRequest:
        """What the language model would be asked if the caller, having said `words`, said no more."""
        agent = self.session.current_agent
        return cast(LocalLlm, self.session.llm).request(agent.chat_ctx, agent.tools, saying=words)

    def _say(self, line: str, *, allow_interruptions: bool = True) -> SpeechHandle:
        stock = self._box.stock[line]
        return self.session.say(stock.text, audio=stock.frames(), allow_interruptions=allow_interruptions)

    def _hang_up_after(self, speech: SpeechHandle, outcome: str) -> None:
        """End the call once this was said, unless the caller had something to say to it."""

        def said(speech: SpeechHandle) -> None:
            if not speech.interrupted and self._leaving is None:
                self.outcome = outcome
                self._leaving = asyncio.create_task(self._hang_up())

        speech.add_done_callback(said)

    async def _hang_up(self) -> None:
        await asyncio.sleep(LAST_SOUND_S)
        await self._captions.sent()
        self.session.shutdown(drain=True)
        self._surroundings.hang_up()
