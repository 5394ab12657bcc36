"""The demo's voice through simulated echo paths: what the demo's VAD and recogniser make of what is left of it."""

import asyncio
from collections.abc import Iterator

import jiwer
import numpy as np
import pytest

from agent.echo.canceller import EchoCanceller
from scripts.turn_bench.echo_listening import (
    Listeners,
    agent_voice,
    caller_over,
    cancel,
    load_listeners,
    speech_in,
    without_silence,
    words_in,
)
from scripts.turn_bench.echo_paths import PATHS
from serving.audio import SPEECH_RATE, Pcm32

pytestmark = pytest.mark.contract

REPLIES = (
    "Hello, this is Riverside Clinic. How can I help you?",
    "You can park in the garage next to the main entrance.",
    "May I have your full name and your date of birth, please?",
)


@pytest.fixture(scope="module")
def ears() -> Iterator[Listeners]:
    """The demo's engines."""
    listeners = load_listeners()
    yield listeners
    for engine in (listeners.vad, listeners.stt, listeners.tts):
        engine.close()


@pytest.fixture(scope="module")
def agent(ears: Listeners) -> Pcm32:
    """Three replies."""
    return asyncio.run(agent_voice(ears.tts, REPLIES, pause_s=1.0))


@pytest.mark.parametrize("name", ["laptop", "speakerphone", "quiet echo", "bad hybrid"])
async def test_the_agents_own_voice_has_no_words(ears: Listeners, agent: Pcm32, name: str) -> None:
    path, canceller = PATHS[name], EchoCanceller()
    heard = path.line(path.echo(agent))
    left = cancel(agent, heard, canceller)
    assert len((await words_in(ears.stt, heard)).split()) > 5
    assert await words_in(ears.stt, left) == ""
    before, after = (sum(f.end_s - f.start_s for f in speech_in(ears.vad, s, ears.gate)) for s in (heard, left))
    assert after < before / 20
    assert canceller.delay_s == pytest.approx(path.delay_s, abs=0.02)


async def test_a_caller_over_the_agents_voice_is_understood(ears: Listeners, agent: Pcm32) -> None:
    track = np.tile(without_silence(agent), 4)
    caller, spoken = caller_over(len(track))
    path = PATHS["laptop"]
    left = cancel(track, path.line(path.echo(track) + caller))
    assert len(spoken) >= 4
    said = [line.text for line in spoken]
    heard = [await words_in(ears.stt, left[line.start - 4800 : line.end + 6400]) for line in spoken]
    assert jiwer.wer(said, heard) < 0.2, heard
    opened = [found.decided_at_s for found in speech_in(ears.vad, left, ears.gate)]
    onsets = [line.start / SPEECH_RATE for line in spoken]
    assert all(any(0 <= at_s - onset_s <= 0.5 for at_s in opened) for onset_s in onsets)


def test_a_line_without_echo_is_left_alone(agent: Pcm32) -> None:
    track = np.tile(agent, 2)
    caller, _ = caller_over(len(track))
    canceller = EchoCanceller()
    left = cancel(track, caller, canceller)
    assert canceller.delay_s is None
    since = 5 * SPEECH_RATE
    assert np.array_equal(left[since:], caller[since : len(left)])
