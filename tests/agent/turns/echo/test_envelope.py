"""Made-up speech: noise in syllables, through a delay that is not quite the one that is known."""

import numpy as np
import pytest

from agent.turns.echo.envelope import EchoEnvelope
from agent.turns.echo.linear import BLOCK_SAMPLES
from serving.audio import SPEECH_RATE, Pcm32

pytestmark = pytest.mark.unit

DELAY = 300 * SPEECH_RATE // 1000
ECHO_GAIN = 0.3


def syllables(seconds: float, *, band_hz: float, seed: int) -> Pcm32:
    """A tone with noise around it, five times a second."""
    t = np.arange(round(seconds * SPEECH_RATE)) / SPEECH_RATE
    noise = np.random.default_rng(seed).normal(size=len(t))
    loudness = np.maximum(np.sin(2 * np.pi * 2.5 * t), 0)
    return (0.2 * loudness * (np.sin(2 * np.pi * band_hz * t) + 0.3 * noise)).astype(np.float32)


def judged(played: Pcm32, line: Pcm32, delay: int | None) -> list[bool]:
    """The envelope's answer, block by block."""
    envelope = EchoEnvelope()
    starts = range(0, len(played) - BLOCK_SAMPLES + 1, BLOCK_SAMPLES)
    return [envelope.push(played[at : at + BLOCK_SAMPLES], line[at : at + BLOCK_SAMPLES], delay) for at in starts]


def echo_of(played: Pcm32, delay: int) -> Pcm32:
    return np.concatenate((np.zeros(delay, np.float32), ECHO_GAIN * played))[: len(played)].astype(np.float32)


@pytest.mark.parametrize("off_ms", [-40, 0, 40])
def test_an_echo_is_explained_though_its_delay_wanders(off_ms: int) -> None:
    played = syllables(6.0, band_hz=700, seed=0)
    answers = judged(played, echo_of(played, DELAY + off_ms * SPEECH_RATE // 1000), DELAY)
    assert sum(answers[50:]) <= 2


def test_a_caller_over_the_echo_is_not() -> None:
    played = syllables(6.0, band_hz=700, seed=0)
    caller = syllables(6.0, band_hz=1800, seed=1)
    caller[: 4 * SPEECH_RATE] = 0
    answers = judged(played, echo_of(played, DELAY) + caller, DELAY)
    assert sum(answers[100:199]) <= 2
    loud = [bool(np.mean(caller[at : at + BLOCK_SAMPLES] ** 2) > 1e-3) for at in range(0, len(caller), BLOCK_SAMPLES)]
    found = [answer for answer, is_loud in zip(answers, loud, strict=True) if is_loud]
    assert np.mean(found) > 0.8


def test_without_a_known_delay_all_is_more_than_echo() -> None:
    played = syllables(1.0, band_hz=700, seed=0)
    assert all(judged(played, echo_of(played, DELAY), None))
