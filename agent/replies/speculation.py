"""A call's replies, those begun before their turn is known to be over above all: what they may do, and what became of them.

LiveKit begins a reply at every pause with words, throws it away when the caller goes on, and speaks it when the turn turns
out to be over. Here such a reply waits until it may cost something, stops after its first clause until the turn is over,
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

GOES_ON_S = 0.1
"""Sound for so long after the VAD has taken it for speech, and a reply that is still being computed is dropped; LiveKit would
wait for the words. What was complete by then costs nothing more, and is kept in case it was a cough."""


class Replies:
    """Those of one call. Reacts to its events."""

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
        """`lines`: calls that the box takes; `is_judged`: TurnJudged events will come; `interrupt` stops the reply that is
        being prepared."""
        self.demand = demand
        self._events = events
        self._policy = SpeculationPolicy(limits, is_judged=is_judged)
        self._lines = lines
        self._computing = 0
        self._interrupt = interrupt
        self._replies: dict[str, Reply] = {}
        self._candidate: Reply | None = None
        """The one prepared for the pause that lasts."""
        self._changed = asyncio.Event()
        self._going_on: asyncio.TimerHandle | None = None
        self._accounted: dict[str, tuple[int, float]] = {}
        """Tokens and seconds of speech that were published, by reply."""
        events.react(self._react)

    # what the session tells

    def announce(self, speech: Speech, *, is_awaited: bool) -> Reply:
        """LiveKit is about to prepare a reply; `is_awaited`: it is computed, and somebody waits for it."""
        reply = Reply(speech, self, is_awaited=is_awaited)
        self._replies[speech.id] = reply
        speech.add_done_callback(lambda _: self._ended(reply))
        asyncio.get_running_loop().call_soon(self._sort, reply)
        return reply

    def of(self, speech: Speech | None) -> Reply | None:
        """The reply that LiveKit's handle stands for."""
        return None if speech is None else self._replies.get(speech.id)

    # what replies ask

    @contextmanager
    def computing(self) -> Iterator[None]:
        """A reply of this call is being computed, inside."""
        with self.demand.reply():
            self._computing += 1
            try:
                yield
            finally:
                self._computing -= 1

    async def may_begin(self, reply: Reply) -> None:
        """Wait until `reply` may be computed: at the latest when it is to be spoken."""
        reply.asked_at = asyncio.get_running_loop().time()
        while not reply.is_confirmed:
            if not reply.is_given_up and self._begin(reply):
                return
            await self._changed.wait()

    # what follows

    def _react(self, payload: Payload) -> None:
        match payload:
            case CallerStartedSpeaking():
                self._policy.went_on()
                self._going_on = asyncio.get_running_loop().call_later(GOES_ON_S, self._goes_on)
            case CallerStoppedSpeaking():
                self._stop_waiting()
            case TurnJudged(probability):
                self._policy.judged(probability)
                self._wake()
            case TurnOver():  # LiveKit says in this very step of the loop which reply it speaks
                asyncio.get_running_loop().call_soon(self._settle)
            case CallEnded():
                self._stop_waiting()
                self._drop()

    def _stop_waiting(self) -> None:
        if self._going_on is not None:
            self._going_on.cancel()

    def _begin(self, reply: Reply) -> bool:
        """Whether it may be begun ahead of its turn's end, now."""
        refusal = self._policy.refusal(self._load())
        if refusal is None:
            reply.tokens_ahead = self._policy.tokens_ahead
            self._policy.begun()
            reply.begun_at = asyncio.get_running_loop().time()
            self._events.publish(ReplyBegunAhead(reply.id))
        elif refusal not in reply.put_off:
            reply.put_off.add(refusal)
            self._events.publish(ReplyPutOff(reply.id, refusal.value))
        return refusal is None

    def _sort(self, reply: Reply) -> None:
        """By now LiveKit has scheduled a reply that is to be spoken."""
        if reply.is_confirmed:
            self._speak(reply)
            return
        self._drop()
        self._policy.went_on()
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
        """What was prepared last will not be spoken."""
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
        self._accounted.pop(reply.id, None)

    def _account(self, reply: Reply) -> None:
        """Publish what was computed for it since the last time."""
        tokens, audio_s = self._accounted.get(reply.id, (0, 0.0))
        tokens, audio_s = reply.tokens - tokens, reply.audio_s - audio_s
        if reply.fate is Fate.OPEN or not (tokens or audio_s):
            return
        self._accounted[reply.id] = (reply.tokens, reply.audio_s)
        if reply.fate is Fate.DROPPED:
            self._policy.wasted(tokens, audio_s)
        self._events.publish(ReplyComputed(reply.id, reply.fate is Fate.SPOKEN, tokens, audio_s))

    def _goes_on(self) -> None:
        reply = self._candidate
        if reply is not None and reply.is_computing and not reply.is_held:
            self._interrupt()
            self._drop()

    def _load(self) -> Load:
        others = self.demand.computing - self._computing  # the one before, just dropped, may still be ending
        return Load(others / self._lines, self.demand.longest_wait_s)

    def _wake(self) -> None:
        """Let replies that were put off ask again."""
        self._changed.set()
        self._changed = asyncio.Event()
