"""Ends of turns by script."""

import asyncio

from serving.audio import Pcm32
from serving.speech import EndOfTurn, TurnContext
from tests.scripted.engine import ScriptedEngine
from tests.scripted.sounds import Sounds, as_pcm16


class ScriptedTurn(ScriptedEngine):
    """Knows from its last word whether a turn is over."""

    name = "turn"
    window_s = 8.0

    def __init__(self, sounds: Sounds, *, inference_s: float = 0.02) -> None:
        super().__init__()
        self.sounds = sounds
        self.inference_s = inference_s

    async def predict(self, samples: Pcm32, context: TurnContext) -> EndOfTurn:
        error = self.failure()
        await asyncio.sleep(self.inference_s)
        if error is not None:
            raise error
        finished = self.sounds.ends_turn(as_pcm16(samples))
        return EndOfTurn(0.95 if finished else 0.05, self.inference_s)
