"""The replies of one call that are begun before their turn is known to be over: what they may do, and what became of them.

LiveKit begins a reply at every pause with words, throws it away when the caller goes on, and speaks it when the turn turns
out to be over. Here such a reply waits until it may cost something, stops after its first clause until the turn is over,
and is accounted for.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from livekit.agents.voice import events

from agent.replies.reply import Reply, take_in_hand
from agent.replies.speculation_policy import Load, SpeculationLimits, SpeculationPolicy
from serving import metrics
from serving.demand import Demand

GOES_ON_S = 0.1
"""Sound for so long after the VAD has taken it for speech, and a reply that is still being computed is thrown away; LiveKit
would wait for the words. What was complete by then costs nothing more, and is kept in case it was a cough."""


class Speculations:
    """Of one call."""

    def __init__(
        self,
        limits: SpeculationLimits,
        demand: Demand,
        *,
        lines: int,
        is_judged: bool,
        throw_away: Callable[[], None],
    ) -> None:
        """`lines`: calls that the box takes; `is_judged`: somebody will call `judged`; `throw_away` stops the reply that is
        being prepared."""
        self.demand = demand
        self.lead_s: float | None = None
        """How much sooner the answer to the last turn could sound because it was begun ahead; None if it was not."""
        self.put_off_s = 0.0
        """How long that answer, prepared but put off, did not do anything."""
        self._policy = SpeculationPolicy(limits, is_judged=is_judged)
        self._lines = lines
        self._computing = 0
        self._throw_away = throw_away
        self._candidate: Reply | None = None
        self._changed = asyncio.Event()
        self._going_on: asyncio.TimerHandle | None = None

    # what the session tells

    def announced(self, event: events.SpeechCreatedEvent) -> None:
        """LiveKit is about to prepare a reply. What it starts from here on finds the reply by `reply_in_hand`."""
        reply = Reply(event.speech_handle, self, is_awaited=event.source != "say")
        take_in_hand(reply)
        asyncio.get_running_loop().call_soon(self._sort, reply)

    def caller_speaks(self) -> None:
        """The VAD has heard the caller's voice again."""
        self._policy.went_on()
        self._going_on = asyncio.get_running_loop().call_later(GOES_ON_S, self._goes_on)

    def caller_is_silent(self) -> None:
        """The VAD no longer hears the caller."""
        if self._going_on is not None:
            self._going_on.cancel()

    def judged(self, probability: float) -> None:
        """How likely the turn is over."""
        self._policy.judged(probability)
        self._wake()

    def turn_over(self) -> None:
        """LiveKit takes the turn for over, and will say in this very step of the loop which reply it speaks."""
        self.lead_s, self.put_off_s = None, 0.0
        asyncio.get_running_loop().call_soon(self._settle)

    def close(self) -> None:
        """The call is over."""
        self.caller_is_silent()
        self._retire()

    # what replies ask and tell

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

    def worked(self, reply: Reply, tokens: int, audio_s: float) -> None:
        """So much more was computed for `reply`."""
        if reply.is_wasted is not None:
            self._account(reply, tokens, audio_s)

    # what follows

    def _begin(self, reply: Reply) -> bool:
        """Whether it may be begun ahead of its turn's end, now."""
        refusal = self._policy.refusal(self._load())
        if refusal is None:
            reply.tokens_ahead = self._policy.tokens_ahead
            self._policy.begun()
            reply.begun_at = asyncio.get_running_loop().time()
        elif refusal not in reply.put_off:
            reply.put_off.add(refusal)
            metrics.SPECULATIONS_PUT_OFF.labels(refusal.value).inc()
        return refusal is None

    def _sort(self, reply: Reply) -> None:
        """By now LiveKit has scheduled a reply that is to be spoken."""
        if reply.is_confirmed:
            self._speak(reply)
            return
        self._retire()
        self._policy.went_on()
        self._candidate = reply

    def _settle(self) -> None:
        reply = self._candidate
        if reply is not None and reply.is_confirmed:
            self._candidate = None
            self._adopt(reply)
        self._retire()
        self._policy.turn_over()
        self._wake()

    def _adopt(self, reply: Reply) -> None:
        now = asyncio.get_running_loop().time()
        if reply.asked_at is not None:
            self.put_off_s = (reply.begun_at or now) - reply.asked_at
        if reply.begun_at is not None:
            self.lead_s = min(now, reply.sounded_at or now) - reply.begun_at
            metrics.SPECULATIONS.labels("adopted").inc()
            metrics.SPECULATION_LEAD.observe(self.lead_s)
        self._speak(reply)

    def _speak(self, reply: Reply) -> None:
        reply.is_wasted = False
        self._account(reply, reply.tokens, reply.audio_s)
        if reply.is_awaited and reply.sounded_at is None:
            self.demand.wait(reply)
            reply.handle.add_done_callback(lambda _: self.demand.answered(reply))
        reply.confirm()

    def _retire(self) -> None:
        """What was prepared last will not be spoken."""
        reply, self._candidate = self._candidate, None
        if reply is None:
            return
        reply.is_wasted = True
        if reply.begun_at is not None:
            metrics.SPECULATIONS.labels("thrown_away").inc()
        self._account(reply, reply.tokens, reply.audio_s)

    def _account(self, reply: Reply, tokens: int, audio_s: float) -> None:
        if reply.is_wasted:
            self._policy.wasted(tokens, audio_s)
        use = "wasted" if reply.is_wasted else "useful"
        metrics.REPLY_TOKENS.labels(use).inc(tokens)
        metrics.REPLY_AUDIO.labels(use).inc(audio_s)

    def _goes_on(self) -> None:
        reply = self._candidate
        if reply is not None and reply.is_computing and not reply.is_held:
            self._throw_away()
            self._retire()

    def _load(self) -> Load:
        others = self.demand.computing - self._computing  # the one before, just thrown away, may still be ending
        return Load(others / self._lines, self.demand.longest_wait_s)

    def _wake(self) -> None:
        """Let replies that were put off ask again."""
        self._changed.set()
        self._changed = asyncio.Event()
