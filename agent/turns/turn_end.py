"""One pause of the caller's, judged again and again until the turn is over."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from agent.call.events import EngineFailed, EngineLate, TurnDecidedBy, TurnJudged
from agent.call.stream import EventStream
from agent.turns.caller_turn import CallerTurn, Recognition
from agent.turns.endpointing import ROUNDING_S, EndpointingOptions, Judgement, delay_s, next_judgement_s
from models.errors import CallboxError
from serving.audio import Pcm32
from serving.engine import TurnEngine

JUDGEMENT_TIMEOUT_S = 0.5
"""An engine that takes longer is not asked again during the same pause."""
WORDS_TIMEOUT_S = 2.2
"""After this much silence a turn is over even if its last words are still being recognised."""
WORDS_TRAVEL_S = 0.01
"""Words reach LiveKit a few rounds of the event loop after the recogniser has sent them."""
_MIN_WAIT_S = 0.002


@dataclass(frozen=True, slots=True)
class Decision:
    """The turn is over."""

    by: TurnDecidedBy
    probability: float | None
    """The newest judgement, if there was one."""


@dataclass(slots=True)
class Pause:
    """A silence that may end a turn. Belongs to the event loop of its call.

    At most one judgement runs at a time; one that comes due meanwhile follows it, on the newest sound. There are no more once
    the newest one settles the matter, unless the caller's words have changed since.
    """

    engine: TurnEngine
    options: EndpointingOptions
    turn: CallerTurn
    recent_sound: Callable[[], Pcm32]
    """Returns the last seconds of the caller's audio."""
    events: EventStream
    judgements: int = 0
    """How many have been started."""
    inference_s: float | None = None
    """How long the newest judgement took."""
    _newest: Judgement | None = None
    _judged_words: str = ""
    """The words that the newest judgement knew."""
    _under_way: "asyncio.Task[None] | None" = None
    _has_failed: bool = False
    _words_came_at: float | None = None

    async def decide(self) -> Decision:
        """Wait until the turn is over. The caller of this coroutine cancels it when the speaker goes on."""
        try:
            while (decision := self._decision()) is None:
                if self._is_judgement_due():
                    self._under_way = asyncio.create_task(self._judge())
                await self.turn.changed(self._nothing_before_s())
            return decision
        finally:
            if self._under_way is not None:
                self._under_way.cancel()

    def _decision(self) -> Decision | None:
        silence_s = self.turn.silence_s()
        if self.turn.is_sounding or self._words_may_come(silence_s) or silence_s + ROUNDING_S < self._delay_s():
            return None
        probability = self._probability()
        if probability is None:
            return Decision(TurnDecidedBy.SILENCE, None)
        is_sure = delay_s(self.options, probability) < self.options.max_delay_s
        return Decision(TurnDecidedBy.JUDGEMENT if is_sure else TurnDecidedBy.LONGEST_DELAY, probability)

    def _words_may_come(self, silence_s: float) -> bool:
        """Until they are in, LiveKit would answer half a sentence."""
        if self.turn.recognition is not Recognition.IDLE:
            self._words_came_at = None
            return silence_s < WORDS_TIMEOUT_S
        if self._words_came_at is None:
            self._words_came_at = time.monotonic()
        return time.monotonic() - self._words_came_at < WORDS_TRAVEL_S - ROUNDING_S

    def _probability(self) -> float | None:
        """The newest judgement's, unless it was made on fewer words and a better one can still come."""
        if self._newest is None or not (self._has_failed or self._knows_the_words()):
            return None
        return self._newest.probability

    def _delay_s(self) -> float:
        return delay_s(self.options, self._probability())

    def _knows_the_words(self) -> bool:
        return not self.options.judges_words or self._judged_words == self.turn.words_to_judge

    def _nothing_before_s(self) -> float:
        """Time until something is due, if nothing changes before."""
        moments_s = [self._delay_s()]
        if self._newest is not None:
            moments_s.append(next_judgement_s(self.options, self._newest) or 0.0)
        silence_s = self.turn.silence_s()
        left_s = [moment_s - silence_s for moment_s in moments_s if moment_s > silence_s]
        return max(min(left_s), _MIN_WAIT_S) if left_s else WORDS_TRAVEL_S

    def _is_judgement_due(self) -> bool:
        silence_s = self.turn.silence_s()
        if self._has_failed or self.turn.is_sounding or silence_s >= self.options.max_delay_s:
            return False
        if self._under_way is not None and not self._under_way.done():
            return False
        if self.turn.recognition is Recognition.IDLE and not self.turn.words:
            return False  # nothing was said, so there is no turn to end
        if self.options.judges_words and self.turn.recognition is Recognition.LISTENING:
            return False
        if self._newest is None or not self._knows_the_words():
            return True
        again_s = next_judgement_s(self.options, self._newest)
        return again_s is not None and silence_s + ROUNDING_S >= again_s

    async def _judge(self) -> None:
        self.judgements += 1
        context = self.turn.context()
        began = time.perf_counter()
        try:
            verdict = await asyncio.wait_for(self.engine.predict(self.recent_sound(), context), JUDGEMENT_TIMEOUT_S)
        except (CallboxError, TimeoutError) as error:
            is_late = isinstance(error, TimeoutError)
            self.events.publish(EngineLate("turn") if is_late else EngineFailed("turn", type(error).__name__))
            self._has_failed = True
        else:
            self._newest = Judgement(context.silence_s, verdict.probability)
            self._judged_words = context.words
            self.inference_s = time.perf_counter() - began
            self.events.publish(TurnJudged(verdict.probability, context.silence_s, verdict.inference_s))
        self.turn.tell()
