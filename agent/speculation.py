"""The replies of one call that are begun before their turn is known to be over: what they may do, and what became of them.

LiveKit begins a reply at every pause with words, throws it away when the caller goes on, and speaks it when the turn turns
out to be over. Here such a reply waits until it may cost something, stops after its first clause until the turn is over,
and is accounted for.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from livekit.agents.voice import SpeechHandle, events

from agent.policies.speculation import Load, Refusal, SpeculationLimits, SpeculationPolicy
from serving import metrics
from serving.demand import Demand

GOES_ON_S = 0.1
"""Sound for so long after the VAD has taken it for speech, and a reply that is still being computed is thrown away; LiveKit
would wait for the words. What was complete by then costs nothing more, and is kept in case it was a cough."""

_REPLY: ContextVar["Reply | None"] = ContextVar("callbox_reply", default=None)
"""LiveKit runs everything about a reply in tasks that descend from where it announced the reply."""


def reply_in_hand() -> "Reply | None":
    """The reply that the running task works on; None outside of a session."""
    return _REPLY.get()


class Reply:
    """One reply, from its announcement until it was spoken or thrown away. Belongs to the event loop of its call."""

    def __init__(self, handle: SpeechHandle, speculations: "Speculations", *, is_awaited: bool) -> None:
        """`is_awaited`: once its turn is over somebody waits for it to be computed."""
        self.handle = handle
        self.is_awaited = is_awaited
        self.asked_at: float | None = None
        """When the language model's adapter first wanted to begin it, loop time."""
        self.begun_at: float | None = None
        """When it was begun ahead of its turn's end, loop time; None if it was not."""
        self.sounded_at: float | None = None
        """When its first sound was there, loop time."""
        self.tokens = 0
        self.audio_s = 0.0
        self.put_off: set[Refusal] = set()
        self.is_wasted: bool | None = None
        """None while nobody knows."""
        self.is_computing = False
        self._speculations = speculations
        self._confirmed = asyncio.Event()

    @property
    def is_confirmed(self) -> bool:
        """Whether it will be spoken: its turn is over, or it answers none."""
        return self.handle.scheduled

    @property
    def is_given_up(self) -> bool:
        """Whether it will never be spoken, and is about to be closed."""
        return self.is_wasted is True or self.handle.interrupted

    async def may_begin(self) -> None:
        """Wait until computing it is allowed."""
        await self._speculations.may_begin(self)

    async def confirmed(self) -> None:
        """Wait until it is to be spoken."""
        while not self.is_confirmed:
            await self._confirmed.wait()

    def confirm(self) -> None:
        """It is to be spoken."""
        self._confirmed.set()

    @contextmanager
    def computing(self) -> Iterator[None]:
        """The language model is at work on it, inside."""
        with self._speculations.demand.reply():
            self.is_computing = True
            try:
                yield
            finally:
                self.is_computing = False

    def wrote(self, tokens: int) -> None:
        """The language model has generated so many tokens more."""
        self.tokens += tokens
        self._speculations.worked(self, tokens, 0.0)

    def sounded(self, audio_s: float) -> None:
        """The voice has synthesized so many seconds more."""
        if self.sounded_at is None:
            self.sounded_at = asyncio.get_running_loop().time()
            self._speculations.demand.answered(self)
        self.audio_s += audio_s
        self._speculations.worked(self, 0, audio_s)


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
        self._throw_away = throw_away
        self._candidate: Reply | None = None
        self._changed = asyncio.Event()
        self._going_on: asyncio.TimerHandle | None = None

    # what the session tells

    def announced(self, event: events.SpeechCreatedEvent) -> None:
        """LiveKit is about to prepare a reply. What it starts from here on finds the reply by `reply_in_hand`."""
        reply = Reply(event.speech_handle, self, is_awaited=event.source != "say")
        _REPLY.set(reply)
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
        if self._candidate is not None and self._candidate.is_computing:
            self._throw_away()
            self._retire()

    def _load(self) -> Load:
        return Load(self.demand.computing / self._lines, self.demand.longest_wait_s)

    def _wake(self) -> None:
        """Let replies that were put off ask again."""
        self._changed.set()
        self._changed = asyncio.Event()
