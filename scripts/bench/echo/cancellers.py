"""The cancellers that are compared. Sound is float32 at SPEECH_RATE."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from livekit import rtc

from agent.adapters.audio import chunk_from, frame_from
from agent.turns.echo.canceller import LAG_S, EchoCanceller
from agent.turns.echo.linear import BLOCK_SAMPLES
from serving.audio import SPEECH_RATE, AudioChunk, Pcm32, pcm16


class Name(StrEnum):
    """Of a canceller."""

    NONE = "none"
    CALLBOX = "callbox"
    WEBRTC = "webrtc"
    WEBRTC_NS = "webrtc-ns"


@dataclass(frozen=True, slots=True)
class Canceller:
    """One way to take the agent's voice out of what is heard."""

    cancel: Callable[[Pcm32, Pcm32], Pcm32]
    """From what was played and what was heard meanwhile, each of shape (n,), to what the agent listens to: whole blocks, each
    where it was heard."""
    lag_s: float = 0.0
    """So much later than it was heard the agent gets it."""


def with_callbox(played: Pcm32, heard: Pcm32, canceller: EchoCanceller | None = None) -> Pcm32:
    """Our own."""
    canceller = canceller or EchoCanceller()
    passed = [canceller.push(played[at], heard[at]) for at in _blocks(heard)]
    return np.concatenate([*passed, canceller.flush()])


def with_webrtc(*, noise_suppression: bool) -> Callable[[Pcm32, Pcm32], Pcm32]:
    """WebRTC's AEC3, as LiveKit's wheel brings it."""

    def cancel(played: Pcm32, heard: Pcm32) -> Pcm32:
        apm = rtc.AudioProcessingModule(echo_cancellation=True, noise_suppression=noise_suppression)
        passed = []
        for at in _blocks(heard):
            apm.process_reverse_stream(_frame(played[at]))
            frame = _frame(heard[at])
            apm.process_stream(frame)
            passed.append(chunk_from(frame).to_float())
        return np.concatenate(passed)

    return cancel


CANCELLERS: dict[Name, Canceller] = {
    Name.NONE: Canceller(lambda played, heard: heard),
    Name.CALLBOX: Canceller(with_callbox, LAG_S),
    Name.WEBRTC: Canceller(with_webrtc(noise_suppression=False)),
    Name.WEBRTC_NS: Canceller(with_webrtc(noise_suppression=True)),
}
"""By name."""


def _blocks(sound: Pcm32) -> list[slice]:
    return [slice(at, at + BLOCK_SAMPLES) for at in range(0, len(sound) - BLOCK_SAMPLES + 1, BLOCK_SAMPLES)]


def _frame(sound: Pcm32) -> rtc.AudioFrame:
    return frame_from(AudioChunk(pcm16(sound), SPEECH_RATE))
