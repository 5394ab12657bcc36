"""What the agent does without the language model: it stops for barge-ins, asks to repeat, apologises, hangs up."""

import asyncio

from agent.call.commands import Commands
from agent.call.events import (
    BargeIn,
    CallBegan,
    CallEnded,
    CallerTranscript,
    CallerUnintelligible,
    EndReason,
    HangingUp,
    Payload,
    ReplyEnded,
    ToolReturned,
    TurnOver,
)
from agent.call.recovery import Recovery
from agent.call.stream import EventStream
from agent.clinic.tools import END_CALL
from agent.replies.repeat import RepeatPolicy
from serving.speech import TranscriptStage

LAST_SOUND_S = 0.5
"""From the last sample leaving the worker until the caller has heard it, jitter buffers included."""
LAST_EVENTS_S = 0.5
"""How long the call waits for its subscribers before the room closes, so that the last captions are sent."""


class Dialogue:
    """Reacts to the events of one call and acts through its commands. Knows neither room nor session."""

    def __init__(self, events: EventStream, commands: Commands, *, longest_turn_end_s: float) -> None:
        """`longest_turn_end_s`: the silence that ends any turn."""
        self._events = events
        self._commands = commands
        self._repeat = RepeatPolicy()
        self._last_words: dict[str, EndReason] = {}
        """Ids of the replies after which the agent hangs up."""
        self._leaving: asyncio.Task[None] | None = None
        events.react(self._react)
        Recovery(events, commands, longest_turn_end_s=longest_turn_end_s, say_goodbye=self._give_up)

    def _react(self, payload: Payload) -> None:
        match payload:
            case CallBegan():
                self._commands.say("greeting")
            case BargeIn():
                # On its own LiveKit would only pause until the final transcript, and could not prepare an answer meanwhile.
                self._commands.interrupt()
            case CallerTranscript(stage):
                self._repeat.understood(is_final=stage is TranscriptStage.FINAL)
            case CallerUnintelligible():
                if self._repeat.unintelligible(agent_is_quiet=self._agent_is_quiet()):
                    self._commands.say("not_heard")
            case TurnOver():
                self._repeat.turn_over()
            case ToolReturned(name=name, reply_id=reply_id) if name == END_CALL:
                self._last_words[reply_id] = EndReason.AGENT_HUNG_UP
            case ReplyEnded(reply_id, is_interrupted):
                self._reply_ended(reply_id, is_interrupted=is_interrupted)
            case CallEnded():
                if self._leaving is not None:
                    self._leaving.cancel()

    def _agent_is_quiet(self) -> bool:
        state = self._events.state
        return not (state.agent_is_speaking or state.answer_is_pending)

    def _give_up(self) -> None:
        self._last_words[self._commands.say("technical_goodbye", allow_interruptions=False)] = EndReason.FAILED

    def _reply_ended(self, reply_id: str, *, is_interrupted: bool) -> None:
        """Hang up after the last words, unless the caller interrupted them."""
        reason = self._last_words.pop(reply_id, None)
        if reason is None or is_interrupted or self._leaving is not None:
            return
        self._leaving = asyncio.create_task(self._hang_up())
        self._events.publish(HangingUp(reason))

    async def _hang_up(self) -> None:
        await asyncio.sleep(LAST_SOUND_S)
        await self._events.drained(LAST_EVENTS_S)
        self._commands.hang_up()
