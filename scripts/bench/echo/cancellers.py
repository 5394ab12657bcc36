"""What can take the agent's voice out of what is heard. Sound is float32 at SPEECH_RATE."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from livekit import rtc

from agent.adapters.audio import chunk_from, frame_from
from agent.adapters.echo import EchoCanceller
from agent.turns.echo.line import EchoLine
from agent.turns.echo.linear import BLOCK_SAMPLES
from serving.audio import SPEECH_RATE, AudioChunk, Pcm32, pcm16

Push = Callable[[Pcm32, Pcm32], Pcm32]
"""From a block of what was played and of what was heard meanwhile to what the agent listens to."""


class Name(StrEnum):
    """Of a canceller."""

    NONE = "none"
    LINEAR = "linear"
    WEBRTC = "webrtc"
    CALLBOX = "callbox"


@dataclass(frozen=True, slots=True)
class Canceller:
    """One way to cancel echo; a line needs an instance of its own."""

    open: Callable[[], Push]

    def cancel(self, played: Pcm32, heard: Pcm32) -> Pcm32:
        """A whole line, each of shape (n,): whole blocks only."""
        push = self.open()
        blocks = [slice(at, at + BLOCK_SAMPLES) for at in range(0, len(heard) - BLOCK_SAMPLES + 1, BLOCK_SAMPLES)]
        return np.concatenate([push(played[block], heard[block]) for block in blocks])


def webrtc() -> Push:
    """WebRTC's canceller alone, as LiveKit brings it."""
    apm = rtc.AudioProcessingModule(echo_cancellation=True, noise_suppression=True)

    def push(played: Pcm32, heard: Pcm32) -> Pcm32:
        apm.process_reverse_stream(frame_from(AudioChunk(pcm16(played), SPEECH_RATE)))
        frame = frame_from(AudioChunk(pcm16(heard), SPEECH_RATE))
        apm.process_stream(frame)
        return chunk_from(frame).to_float()

    return push


CANCELLERS = {
    Name.NONE: Canceller(lambda: lambda played, heard: heard),
    Name.LINEAR: Canceller(lambda: EchoLine().push),
    Name.WEBRTC: Canceller(webrtc),
    Name.CALLBOX: Canceller(lambda: EchoCanceller().push),
}
"""None at all, the linear filter alone, WebRTC's alone, and what calls use: both."""
