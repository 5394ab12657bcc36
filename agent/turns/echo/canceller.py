"""Keeps the agent's voice out of a caller's sound: nothing passes while the echo alone explains what is heard; what the caller
says over it passes, less the linear part of the echo."""

from collections import deque

import numpy as np

from agent.turns.echo.delay import LONGEST_SAMPLES, EchoDelay
from agent.turns.echo.envelope import CALLER_SHARE, EchoEnvelope
from agent.turns.echo.linear import BLOCK_SAMPLES, LinearEchoFilter
from serving.audio import SPEECH_RATE, Pcm32

LEAD_SAMPLES = SPEECH_RATE // 100
"""The linear filter's path begins so much before the echo's strongest part."""
QUIET_POWER = 1e-5
"""-50 dBFS: quieter sound is nobody's speech."""
LAG_BLOCKS = 5
"""What is heard is passed on so much later, so that the beginning of the caller's first word passes too."""
LAG_S = LAG_BLOCKS * BLOCK_SAMPLES / SPEECH_RATE
CALLER_BLOCKS, OF_BLOCKS = 3, 5
"""So many of so many blocks that the echo does not explain are the caller's;"""
HOLD_BLOCKS = 12
"""then all sound passes until so many in a row were the echo's."""
FIRST_WORDS_BLOCKS = 75
"""Of the agent's first words on a line nobody knows yet whether they come back: what is heard meanwhile is taken for them."""
_NOTHING = np.zeros(0, np.float32)


class EchoCanceller:
    """One line. Feed it, block by block of BLOCK_SAMPLES (float32, 16 kHz), what was played and what was heard."""

    def __init__(self) -> None:
        self._delay = EchoDelay()
        self._filter = LinearEchoFilter()
        self._envelope = EchoEnvelope()
        self._history = np.zeros(LONGEST_SAMPLES + BLOCK_SAMPLES, np.float32)
        self._lagging: deque[Pcm32] = deque()
        self._first_words = FIRST_WORDS_BLOCKS
        self._has_spoken = False
        self._unexplained: deque[bool] = deque(maxlen=OF_BLOCKS)
        self._hold = 0
        self._gain = 0.0

    @property
    def delay_s(self) -> float | None:
        """How much later the agent's voice comes back; None while no echo was found on this line."""
        return None if self._delay.samples is None else self._delay.samples / SPEECH_RATE

    def push(self, played: Pcm32, microphone: Pcm32) -> Pcm32:
        """What can be passed on of the caller's sound now, LAG_BLOCKS after it was heard, shape (n,); often one block."""
        self._history[:-BLOCK_SAMPLES] = self._history[BLOCK_SAMPLES:]
        self._history[-BLOCK_SAMPLES:] = played
        self._delay.push(played, microphone)
        self._has_spoken = self._has_spoken or bool(np.mean(played**2) > QUIET_POWER)
        self._first_words -= self._has_spoken and self._first_words > 0
        is_more = self._envelope.push(played, microphone, self._delay.samples)
        if self._delay.samples is None and not self._first_words:
            return np.concatenate((self.flush(), microphone))
        left = self._without_linear_echo(microphone)
        self._lagging.append(left)
        passes = self._passes(is_more and bool(np.sum(left**2) > CALLER_SHARE * np.sum(microphone**2)))
        return self._faded(self._lagging.popleft(), passes) if len(self._lagging) > LAG_BLOCKS else _NOTHING

    def flush(self) -> Pcm32:
        """What was not passed on yet, now that no echo is to be expected, shape (n,)."""
        rest = np.concatenate((_NOTHING, *self._lagging))
        self._lagging.clear()
        self._gain, self._hold = 0.0, 0
        self._unexplained.clear()
        return rest

    def _passes(self, is_more: bool) -> bool:
        """Whether what lags is passed on, by whether the newest block is more than the echo."""
        self._unexplained.append(is_more and self._delay.samples is not None)
        self._hold = HOLD_BLOCKS if sum(self._unexplained) >= CALLER_BLOCKS else max(0, self._hold - 1)
        return self._hold > 0

    def _faded(self, sound: Pcm32, passes: bool) -> Pcm32:
        ramp = np.linspace(self._gain, float(passes), BLOCK_SAMPLES, dtype=np.float32)
        self._gain = float(passes)
        return (ramp * sound).astype(np.float32)

    def _without_linear_echo(self, microphone: Pcm32) -> Pcm32:
        if self._delay.samples is None:
            return microphone
        left = self._filter.push(self._played_before(self._delay.samples - LEAD_SAMPLES), microphone)
        # a filter that has not found its path yet may add to the echo
        return left if np.sum(left**2) < np.sum(microphone**2) else microphone

    def _played_before(self, samples: int) -> Pcm32:
        """The block that was played so long before the newest one."""
        end = len(self._history) - max(samples, 0)
        return self._history[max(end - BLOCK_SAMPLES, 0) : end].copy()
