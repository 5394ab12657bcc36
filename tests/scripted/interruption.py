"""A scripted interruption engine."""

import asyncio

from agent.turns.barge_in import MURMURED_PHRASES, Overlap, judge_overlap
from serving.audio import SPEECH_RATE, Pcm32
from serving.speech import Interruption
from tests.scripted.engine import ScriptedEngine
from tests.scripted.sounds import Sounds, as_pcm16


class ScriptedInterruption(ScriptedEngine):
    """Tells at once whether a sound holds meaningful words, only backchannels, or no words at all."""

    name = "interruption"
    window_s = 2.0

    def __init__(self, sounds: Sounds, *, inference_s: float = 0.02) -> None:
        super().__init__()
        self.sounds = sounds
        self.inference_s = inference_s
        self.asked_about_s: list[float] = []
        """The overlap length of each request."""

    async def predict(self, samples: Pcm32, overlap_s: float) -> Interruption:
        error = self.failure()
        self.asked_about_s.append(overlap_s)
        await asyncio.sleep(self.inference_s)
        if error is not None:
            raise error
        recent = as_pcm16(samples[-round(overlap_s * SPEECH_RATE) :])
        text = " ".join(word.text for word, _ in self.sounds.words(recent, rate=SPEECH_RATE))
        if not text:
            return Interruption(0.05, 0.05, 0.9, self.inference_s)
        begins_as_murmur = any(phrase.startswith(text) for phrase in MURMURED_PHRASES)
        if begins_as_murmur or judge_overlap(text, is_final=True) is Overlap.BACKCHANNEL:
            return Interruption(0.05, 0.9, 0.05, self.inference_s)
        return Interruption(0.95, 0.03, 0.02, self.inference_s)
