"""What callers hear when an engine fails: nothing if the answer still comes, otherwise an apology, and in the end a goodbye."""

import asyncio
from collections.abc import Callable
from enum import Enum

from agent.call.commands import Commands
from agent.call.events import (
    AgentStartedSpeaking,
    AgentStoppedSpeaking,
    CallEnded,
    CallerStoppedSpeaking,
    EngineFailed,
    Payload,
    TurnOver,
)
from agent.call.stream import EventStream
from agent.replies.failure import FailureAnswer, FailurePolicy

ANSWER_WITHIN_S = 0.7
"""A failure may go unnoticed: a speculative reply failed, and the real one does not. Only after this is it explained."""
OPTIONAL_STAGES = ("interruption", "turn")
"""When these fail, the VAD or silence decides instead, and nothing the caller said is lost."""


class _Answer(Enum):
    """What the caller is waiting for after a failure."""

    NOTHING = "nothing"
    EXPECTED = "expected"
    """An answer may still come."""
    OVERDUE = "overdue"
    """It did not come. The apology follows as soon as the agent is quiet."""


class Recovery:
    """Handles the engine failures of one call by reacting to its events."""

    def __init__(
        self, events: EventStream, commands: Commands, *, longest_turn_end_s: float, say_goodbye: Callable[[], None]
    ) -> None:
        """`longest_turn_end_s`: the silence that ends any turn; `say_goodbye` ends the call with an apology."""
        self._events = events
        self._commands = commands
        self._longest_turn_end_s = longest_turn_end_s
        self._say_goodbye = say_goodbye
        self._policy = FailurePolicy()
        self._answer = _Answer.NOTHING
        self._patience: asyncio.TimerHandle | None = None
        events.react(self._react)

    def _react(self, payload: Payload) -> None:
        match payload:
            case EngineFailed(stage):
                self._failed(stage)
            case AgentStartedSpeaking():
                self._answer = _Answer.NOTHING
            case AgentStoppedSpeaking() if self._answer is _Answer.OVERDUE:
                asyncio.get_running_loop().call_soon(self._explain)
            case CallerStoppedSpeaking() | TurnOver() if self._answer is not _Answer.NOTHING:
                self._wait_for_answer()
            case CallEnded():
                self._stop_waiting()

    def _failed(self, stage: str) -> None:
        state = self._events.state
        if stage in OPTIONAL_STAGES or (stage == "stt" and not state.turn_is_open):
            return  # nothing was lost
        if state.turn_is_open:
            self._commands.interrupt()  # otherwise LiveKit would take the failed reply for the answer to the turn
        if self._answer is not _Answer.NOTHING:
            return
        self._answer = _Answer.EXPECTED
        if not self._events.state.caller_is_speaking:
            self._wait_for_answer()

    def _wait_for_answer(self) -> None:
        """The caller is silent: if no reply begins soon, explain."""
        self._stop_waiting()
        self._answer = _Answer.EXPECTED
        turn_s = self._longest_turn_end_s if self._events.state.turn_is_open else 0.0
        self._patience = asyncio.get_running_loop().call_later(turn_s + ANSWER_WITHIN_S, self._overdue)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()

    def _overdue(self) -> None:
        if self._answer is not _Answer.EXPECTED:
            return
        self._answer = _Answer.OVERDUE
        if not self._events.state.agent_is_speaking:
            self._explain()

    def _explain(self) -> None:
        if self._answer is not _Answer.OVERDUE or self._events.state.caller_is_speaking:
            return
        self._answer = _Answer.NOTHING
        match self._policy.failed(self._events.now_s):
            case FailureAnswer.APOLOGISE:
                self._commands.say("technical_apology")
            case FailureAnswer.SAY_GOODBYE:
                self._say_goodbye()
