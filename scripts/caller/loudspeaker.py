"""A caller without a headset: what they hear comes out of a loudspeaker and back into their microphone."""

import numpy as np

from scripts.caller.clock import FRAME_SAMPLES, RATE
from serving.audio import Pcm16, Pcm32

DELAY_S = 0.25
"""From a frame's arrival to its echo, without the room: the device's buffers. More than the mouth's lead, so that a late event
loop does not make the loudspeaker stutter."""
STEADY_S = 0.2
"""Frames that are no further off their time than this are played without a gap."""
TAIL_SAMPLES = RATE // 5
"""Length of the room's response that is heard."""


class Loudspeaker:
    """Plays frames at an even pace, and tells what the microphone hears of them."""

    def __init__(self, response: Pcm32, *, gain_db: float, drive: float = 0.0) -> None:
        """`response`: impulse response of unit energy, shape (k,), at RATE. `drive`: clips softly above 1/drive."""
        self._response = response[:TAIL_SAMPLES] * 10 ** (gain_db / 20)
        self._drive = drive
        self._played = np.zeros(RATE, np.float32)
        """Since the clock's origin."""
        self._end = 0

    def play(self, samples: Pcm16, at_s: float) -> None:
        """Play a frame that arrived at this clock time."""
        start = max(0, round((at_s + DELAY_S) * RATE))
        if abs(start - self._end) < STEADY_S * RATE:
            start = self._end
        sound = samples.astype(np.float32) / 32768
        if self._drive > 0:
            sound = np.tanh(self._drive * sound) / self._drive
        self._end = start + len(sound)
        if self._end > len(self._played):
            self._played = np.pad(self._played, (0, self._end))
        self._played[start : self._end] = sound

    def frame(self, start: int) -> Pcm32:
        """What the microphone hears in FRAME_SAMPLES samples from position `start`, on the scale of int16."""
        first = max(0, start - TAIL_SAMPLES)
        heard = np.zeros(FRAME_SAMPLES, np.float32)
        sound = self._played[first : start + FRAME_SAMPLES]
        if sound.any():
            echo = np.convolve(sound, self._response)[start - first : start - first + FRAME_SAMPLES]
            heard[: len(echo)] = 32768 * echo
        return heard
