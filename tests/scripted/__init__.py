"""Scripted engines, one per stage: deterministic, and on the audio's own clock.

They share a language of sound (sounds.py) in which the value of a sample says which word is being heard. So STT reads words
off the audio that reaches it, TTS writes words into the audio that it makes, and a test that listens at either end of a call
knows exactly what was heard. The STT and TTS streams are the product's own; only the models behind them are scripted.
"""

from tests.scripted.engine import ScriptedEngine
from tests.scripted.interruption import ScriptedInterruption
from tests.scripted.llm import Answer, ScriptedLlm, ScriptedReply, tokens
from tests.scripted.sounds import NOISE, ROOM_RATE, WORD_S, Sounds, as_pcm16, noise
from tests.scripted.stt import ListedStt, ListedSttStream, ScriptedStt
from tests.scripted.tts import ScriptedTts
from tests.scripted.turn import ScriptedTurn
from tests.scripted.vad import WINDOW_SAMPLES, CountedStream, ScriptedVad

__all__ = [
    "NOISE",
    "ROOM_RATE",
    "WINDOW_SAMPLES",
    "WORD_S",
    "Answer",
    "CountedStream",
    "ListedStt",
    "ListedSttStream",
    "ScriptedEngine",
    "ScriptedInterruption",
    "ScriptedLlm",
    "ScriptedReply",
    "ScriptedStt",
    "ScriptedTts",
    "ScriptedTurn",
    "ScriptedVad",
    "Sounds",
    "as_pcm16",
    "noise",
    "tokens",
]
