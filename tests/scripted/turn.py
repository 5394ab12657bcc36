"""A scripted end-of-turn engine."""

import asyncio
from collections.abc import Callable

from serving.audio import Pcm32
from serving.speech import EndOfTurn, TurnContext
from tests.scripted.engine import ScriptedEngine
from tests.scripted.sounds import Sounds, as_pcm16


class ScriptedTurn(ScriptedEngine):
    """Tells from the last word whether a turn is over."""

    name = "turn"
    window_s = 8.0

    def __init__(self, sounds: Sounds, *, inference_s: float = 0.02) -> None:
        super().__init__()
        self.sounds = sounds
        self.inference_s = inference_s
        self.doubt: Callable[[TurnContext], float] | None = None
        """Probability of an end where the last word does not sound final; 0.05 without it."""
        self.asked: list[TurnContext] = []
        """The context of each request."""
        self.running = 0
        self.max_running = 0
        """The most judgements that were under way at once."""

    async def predict(self, samples: Pcm32, context: TurnContext) -> EndOfTurn:
        self.asked.append(context)
        error = self.failure()
        self.running += 1
        self.max_running = max(self.max_running, self.running)
        try:
            await asyncio.sleep(self.inference_s)
        finally:
            self.running -= 1
        if error is not None:
            raise error
        if self.sounds.ends_turn(as_pcm16(samples)):
            return EndOfTurn(0.95, self.inference_s)
        return EndOfTurn(0.05 if self.doubt is None else self.doubt(context), self.inference_s)
