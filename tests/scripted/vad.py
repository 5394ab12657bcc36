"""A scripted VAD engine."""

from collections.abc import Callable

import numpy as np

from serving.audio import SPEECH_RATE, Pcm32
from serving.engine import VadStream
from serving.speech import VoiceActivity
from tests.scripted.engine import ScriptedEngine

WINDOW_SAMPLES = 512


class ScriptedVad(ScriptedEngine):
    """Takes words and noise for speech."""

    name = "vad"
    window_samples = WINDOW_SAMPLES

    def open(self) -> VadStream:
        return _ScriptedVadStream()


class _ScriptedVadStream:
    def __init__(self) -> None:
        self._rest = np.zeros(0, np.float32)
        self._windows = 0

    def push(self, samples: Pcm32) -> list[VoiceActivity]:
        self._rest = np.concatenate([self._rest, samples])
        verdicts: list[VoiceActivity] = []
        while len(self._rest) >= WINDOW_SAMPLES:
            window, self._rest = self._rest[:WINDOW_SAMPLES], self._rest[WINDOW_SAMPLES:]
            self._windows += 1
            probability = 0.98 if np.count_nonzero(window) * 2 >= WINDOW_SAMPLES else 0.02
            verdicts.append(VoiceActivity(probability, self._windows * WINDOW_SAMPLES / SPEECH_RATE))
        return verdicts


class CountedStream:
    """Wraps a stream and counts its windows."""

    def __init__(self, stream: VadStream, count: Callable[[int], None]) -> None:
        self._stream = stream
        self._count = count

    def push(self, samples: Pcm32) -> list[VoiceActivity]:
        verdicts = self._stream.push(samples)
        self._count(len(verdicts))
        return verdicts
