"""Takes the agent's voice out of a caller's sound: a linear filter for what the caller says over it, WebRTC's echo
canceller for all that a linear filter leaves."""

from dataclasses import dataclass

import numpy as np
from livekit import rtc

from agent.echo.delay import LONGEST_SAMPLES, EchoDelay
from agent.echo.linear import BLOCK_SAMPLES, LinearEchoFilter
from serving.audio import SPEECH_RATE, AudioChunk, Pcm32, pcm16

APM_SAMPLES = SPEECH_RATE // 100
"""WebRTC's audio processing takes 10 ms at a time."""
APM_LONGEST_SAMPLES = 450 * SPEECH_RATE // 1000
"""It finds echoes by itself up to 500 ms (its five matched filters reach no further)."""
LEAD_SAMPLES = SPEECH_RATE // 100
"""The linear filter's path begins so much before the echo's strongest part."""
CALLER_SHARE = 0.25
"""The caller is heard when so much of the sound's power survives WebRTC's suppression,"""
CALLER_OVER_ECHO = 0.15
"""and what the linear filter leaves has so much of its echo's power: loudspeakers distort, and no filter takes that away."""
QUIET_POWER = 1e-5
"""-50 dBFS: quieter sound is nobody's speech."""
POWER_SMOOTHING = 0.7
"""Block to block."""
HOLD_BLOCKS = 10
"""The caller's sound passes whole for so long after it was found."""
FOUND_WITHIN_BLOCKS = 100
"""If no echo was found in the agent's first two seconds of speech, this line has none, until one is found."""
SETTLED_BLOCKS = 75
"""So much of the agent's speech is filtered before what is left is taken for the caller's."""
NEW_REPLY_BLOCKS = 25
"""Played sound after so much silence is a new reply, whose way back may have another length: jitter buffers adapt."""
DOUBT_BLOCKS = 35
"""From the echo's beginning until its delay is known again, and both cancellers follow."""
DOUBT_GAIN = 0.03
"""What is let through meanwhile, on a line that has an echo."""


@dataclass(slots=True)
class _Powers:
    """Smoothed powers of one line."""

    left: float = 0.0
    """Behind the linear filter."""
    suppressed: float = 0.0
    """Behind WebRTC."""
    echo: float = 0.0
    """What the linear filter took away."""

    def push(self, left: Pcm32, suppressed: Pcm32, echo: Pcm32) -> None:
        for name, sound in (("left", left), ("suppressed", suppressed), ("echo", echo)):
            smooth = POWER_SMOOTHING * getattr(self, name) + (1 - POWER_SMOOTHING) * float(np.mean(sound**2))
            setattr(self, name, smooth)

    @property
    def caller_is_heard(self) -> bool:
        return (
            self.suppressed > QUIET_POWER
            and self.suppressed >= CALLER_SHARE * self.left
            and self.left >= CALLER_OVER_ECHO * self.echo
        )


class EchoCanceller:
    """One line. Feed it, block by block of BLOCK_SAMPLES (float32, 16 kHz), what was played and what was heard.

    While the agent is heard alone nothing is let through; while the caller speaks over it, their sound is, less the
    linear part of the echo.
    """

    def __init__(self) -> None:
        self._apm = rtc.AudioProcessingModule(echo_cancellation=True)
        self._delay = EchoDelay()
        self._filter = LinearEchoFilter()
        self._history = np.zeros(LONGEST_SAMPLES + BLOCK_SAMPLES, np.float32)
        self._powers = _Powers()
        self._voiced_blocks = 0
        self._filtered_blocks = 0
        self._hold = 0
        self._silent_blocks = 0
        self._doubt = 0
        self._caller_gain = 0.0

    @property
    def delay_s(self) -> float | None:
        """How much later the agent's voice comes back; None while no echo was found on this line."""
        return None if self._delay.samples is None else self._delay.samples / SPEECH_RATE

    def push(self, played: Pcm32, microphone: Pcm32) -> Pcm32:
        """The caller's sound, shape (BLOCK_SAMPLES,)."""
        self._history[:-BLOCK_SAMPLES] = self._history[BLOCK_SAMPLES:]
        self._history[-BLOCK_SAMPLES:] = played
        was_found = self._delay.samples is not None
        self._delay.push(played, microphone)
        is_voiced = bool(np.mean(played**2) > QUIET_POWER)
        self._voiced_blocks += is_voiced
        self._filtered_blocks += is_voiced and self._delay.samples is not None
        if not was_found and self._delay.samples is not None:
            self._doubt = DOUBT_BLOCKS
        self._notice_reply(is_voiced)
        left = self._without_linear_echo(microphone)
        suppressed = self._suppressed(left)
        return self._mixed(microphone, left, suppressed)

    def _notice_reply(self, is_voiced: bool) -> None:
        self._doubt = max(0, self._doubt - 1)
        if is_voiced and self._silent_blocks >= NEW_REPLY_BLOCKS and self._delay.samples is not None:
            self._doubt = DOUBT_BLOCKS + self._delay.samples // BLOCK_SAMPLES
            self._powers, self._hold = _Powers(), 0  # what was heard before says nothing about what comes back now
        self._silent_blocks = 0 if is_voiced else self._silent_blocks + 1

    def _without_linear_echo(self, microphone: Pcm32) -> Pcm32:
        if self._delay.samples is None:
            return microphone
        left = self._filter.push(self._played_before(self._delay.samples - LEAD_SAMPLES), microphone)
        # a filter that has not found its path yet may add to the echo
        return left if np.sum(left**2) < np.sum(microphone**2) else microphone

    def _suppressed(self, sound: Pcm32) -> Pcm32:
        delay = self._delay.samples or 0
        reference = pcm16(self._played_before(delay - APM_LONGEST_SAMPLES // 2 if delay > APM_LONGEST_SAMPLES else 0))
        samples = pcm16(sound)
        pieces = []
        for at in range(0, BLOCK_SAMPLES, APM_SAMPLES):
            self._apm.process_reverse_stream(_frame(reference[at : at + APM_SAMPLES].tobytes()))
            frame = _frame(samples[at : at + APM_SAMPLES].tobytes())
            self._apm.process_stream(frame)
            pieces.append(np.frombuffer(frame.data, np.int16))
        return AudioChunk(np.concatenate(pieces), SPEECH_RATE).to_float()

    def _mixed(self, microphone: Pcm32, left: Pcm32, suppressed: Pcm32) -> Pcm32:
        self._powers.push(left, suppressed, microphone - left)
        if self._doubt and not self._hold:
            self._caller_gain = 0.0
            return DOUBT_GAIN * suppressed
        self._hold = HOLD_BLOCKS if self._caller_is_heard else max(0, self._hold - 1)
        gain = 1.0 if self._hold or self._is_without_echo else 0.0
        ramp = np.linspace(self._caller_gain, gain, BLOCK_SAMPLES, dtype=np.float32)
        self._caller_gain = gain
        return (ramp * left + (1 - ramp) * suppressed).astype(np.float32)

    @property
    def _caller_is_heard(self) -> bool:
        return self._filtered_blocks > SETTLED_BLOCKS and self._powers.caller_is_heard

    @property
    def _is_without_echo(self) -> bool:
        return self._delay.samples is None and self._voiced_blocks > FOUND_WITHIN_BLOCKS

    def _played_before(self, samples: int) -> Pcm32:
        """The block that was played so long before the newest one."""
        end = len(self._history) - max(samples, 0)
        return self._history[max(end - BLOCK_SAMPLES, 0) : end].copy()


def _frame(samples: bytes) -> rtc.AudioFrame:
    return rtc.AudioFrame(bytearray(samples), SPEECH_RATE, 1, APM_SAMPLES)
