"""Controls a call's replies, above all those that start before their turn is known to be over (preemptive generation).

LiveKit starts a reply at every pause that follows words, throws it away when the caller continues, and speaks it if the turn
was over. Here such a reply waits until the engines can spare the work, pauses after its first clause until the turn is over,
and is accounted for.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from agent.call.events import (
    CallEnded,
    CallerStartedSpeaking,
    CallerStoppedSpeaking,
    Payload,
    ReplyBegunAhead,
    ReplyComputed,
    ReplyConfirmed,
    ReplyDropped,
    ReplyEnded,
    ReplyPutOff,
    TurnJudged,
    TurnOver,
)
from agent.call.stream import EventStream
from agent.replies.reply import Fate, Reply, Speech
from agent.replies.speculation_policy import Load, SpeculationLimits, SpeculationPolicy
from serving.demand import Demand

DROP_AFTER_S = 0.1
"""A reply still being computed is dropped when the caller's sound lasts this long after the VAD took it for speech; LiveKit
would wait for words. A reply that is complete by then costs nothing more, and is kept in case the sound was a cough."""


class Replies:
    """One call's replies. Reacts to the call's events."""

    def __init__(
        self,
        limits: SpeculationLimits,
        demand: Demand,
        events: EventStream,
        *,
        lines: int,
        is_judged: bool,
        interrupt: Callable[[], None],
    ) -> None:
        """`lines`: how many calls the box takes; `is_judged`: whether to expect TurnJudged events; `interrupt` stops the reply
        being prepared."""
        self.demand = demand
        self._events = events
        self._policy = SpeculationPolicy(limits, is_judged=is_judged)
        self._lines = lines
        self._computing = 0
        self._interrupt = interrupt
        self._replies: dict[str, Reply] = {}
        self._candidate: Reply | None = None
        """The reply prepared for the current pause."""
        self._changed = asyncio.Event()
        self._drop_timer: asyncio.TimerHandle | None = None
        events.react(self._react)

    # called by the session

    def announce(self, speech: Speech, *, is_awaited: bool) -> Reply:
        """LiveKit is about to prepare a reply; `is_awaited`: whether the caller waits for it to be computed."""
        reply = Reply(speech, self, is_awaited=is_awaited)
        self._replies[speech.id] = reply
        speech.add_done_callback(lambda _: self._ended(reply))
        asyncio.get_running_loop().call_soon(self._sort, reply)
        return reply

    def of(self, speech: Speech | None) -> Reply | None:
        """The reply behind LiveKit's handle, if it is known."""
        return None if speech is None else self._replies.get(speech.id)

    # called by replies

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Count a reply of this call as being computed, inside the context."""
        with self.demand.reply():
            self._computing += 1
            try:
                yield
            finally:
                self._computing -= 1

    async def wait_to_begin(self, reply: Reply) -> None:
        """Wait until `reply` may be computed: when it is due to be spoken, at the latest."""
        reply.asked_at = asyncio.get_running_loop().time()
        while not reply.is_confirmed:
            if not reply.is_given_up and self._begin(reply):
                return
            await self._changed.wait()

    # what happens in the call

    def _react(self, payload: Payload) -> None:
        match payload:
            case CallerStartedSpeaking():
                self._policy.caller_continued()
                self._drop_timer = asyncio.get_running_loop().call_later(DROP_AFTER_S, self._drop_if_computing)
            case CallerStoppedSpeaking():
                self._cancel_drop()
            case TurnJudged(probability):
                self._policy.judged(probability)
                self._wake()
            case TurnOver():  # LiveKit schedules the reply it will speak within this same loop step
                asyncio.get_running_loop().call_soon(self._settle)
            case CallEnded():
                self._cancel_drop()
                self._drop()

    def _cancel_drop(self) -> None:
        if self._drop_timer is not None:
            self._drop_timer.cancel()

    def _begin(self, reply: Reply) -> bool:
        """Start it before the end of its turn, if that is allowed now; whether it was."""
        refusal = self._policy.refusal(self._load())
        if refusal is None:
            reply.tokens_ahead = self._policy.tokens_ahead
            self._policy.begun()
            reply.begun_at = asyncio.get_running_loop().time()
            self._events.publish(ReplyBegunAhead(reply.id))
        elif refusal not in reply.put_off:
            reply.put_off.add(refusal)
            self._events.publish(ReplyPutOff(reply.id, refusal))
        return refusal is None

    def _sort(self, reply: Reply) -> None:
        """Speak it or keep it as the candidate. If it is to be spoken, LiveKit has scheduled it by now."""
        if reply.is_confirmed:
            self._speak(reply)
            return
        self._drop()
        self._policy.caller_continued()
        self._candidate = reply

    def _settle(self) -> None:
        reply = self._candidate
        if reply is not None and reply.is_confirmed:
            self._candidate = None
            self._confirm(reply)
        self._drop()
        self._policy.turn_over()
        self._wake()

    def _confirm(self, reply: Reply) -> None:
        now = asyncio.get_running_loop().time()
        put_off_s = 0.0 if reply.asked_at is None else (reply.begun_at or now) - reply.asked_at
        lead_s = None if reply.begun_at is None else min(now, reply.sounded_at or now) - reply.begun_at
        self._events.publish(ReplyConfirmed(reply.id, lead_s, put_off_s))
        self._speak(reply)

    def _speak(self, reply: Reply) -> None:
        reply.fate = Fate.SPOKEN
        self._account(reply)
        if reply.is_awaited and reply.sounded_at is None:
            self.demand.wait(reply)
        reply.confirm()

    def _drop(self) -> None:
        """The candidate will not be spoken."""
        reply, self._candidate = self._candidate, None
        if reply is None:
            return
        reply.fate = Fate.DROPPED
        self._events.publish(ReplyDropped(reply.id, was_begun=reply.begun_at is not None))
        self._account(reply)

    def _ended(self, reply: Reply) -> None:
        self.demand.answered(reply)
        self._account(reply)
        self._events.publish(ReplyEnded(reply.id, reply.speech.interrupted))
        self._replies.pop(reply.id, None)

    def _account(self, reply: Reply) -> None:
        """Publish what was computed for it since the last account."""
        tokens, audio_s = reply.tokens - reply.published_tokens, reply.audio_s - reply.published_audio_s
        if reply.fate is Fate.OPEN or not (tokens or audio_s):
            return
        reply.published_tokens, reply.published_audio_s = reply.tokens, reply.audio_s
        if reply.fate is Fate.DROPPED:
            self._policy.wasted(tokens, audio_s)
        self._events.publish(ReplyComputed(reply.id, reply.fate is Fate.SPOKEN, tokens, audio_s))

    def _drop_if_computing(self) -> None:
        reply = self._candidate
        if reply is not None and reply.is_computing and not reply.is_held:
            self._interrupt()
            self._drop()

    def _load(self) -> Load:
        others = self.demand.computing - self._computing  # a reply of this call just dropped may still be ending
        return Load(others / self._lines, self.demand.longest_wait_s)

    def _wake(self) -> None:
        """Let waiting replies check again whether they may start."""
        self._changed.set()
        self._changed = asyncio.Event()
