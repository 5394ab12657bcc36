"""A recorded voice through simulated echo paths: what the demo's VAD and recogniser make of what is left of it."""

from collections.abc import Iterator

import jiwer
import numpy as np
import pytest

from scripts.bench.echo.cancellers import CANCELLERS, Name
from scripts.bench.echo.listening import (
    Listeners,
    caller_over,
    falling_silent,
    load_listeners,
    speech_in,
    without_silence,
    words_in,
)
from scripts.bench.echo.paths import PATHS
from scripts.caller.voice import load_voice
from serving.audio import SPEECH_RATE, AudioChunk, Pcm32

pytestmark = pytest.mark.contract

LINES = (
    "what are your opening hours",
    "where can i park",
    "i would like to book an appointment with doctor chen",
    "my name is anna smith",
    "can you repeat that",
    "which insurance do you take",
)


@pytest.fixture(scope="module")
def ears() -> Iterator[Listeners]:
    """The demo's engines."""
    listeners = load_listeners()
    yield listeners
    for engine in (listeners.vad, listeners.stt, listeners.tts):
        engine.close()


@pytest.fixture(scope="module")
def agent() -> Pcm32:
    """Replies, each with a second's pause: recorded, since the demo's voice is another at every start; of
    another kind than the caller's, since flite's statistical voices share their noise."""
    spoken = [AudioChunk(load_voice("kal16").line(text).samples, SPEECH_RATE).to_float() for text in LINES]
    return np.concatenate([np.pad(line, (0, SPEECH_RATE)) for line in spoken])


def cancel(played: Pcm32, heard: Pcm32) -> Pcm32:
    """As in a call."""
    return CANCELLERS[Name.CALLBOX].cancel(played, heard)


@pytest.mark.parametrize("name", ["laptop", "speakerphone", "quiet echo", "bad hybrid"])
async def test_the_agents_own_voice_has_no_words(ears: Listeners, agent: Pcm32, name: str) -> None:
    path = PATHS[name]
    heard = path.line(path.echo(agent))
    left = cancel(agent, heard)
    assert len((await words_in(ears.stt, heard)).split()) > 5
    assert await words_in(ears.stt, left) == ""
    before, after = (sum(f.end_s - f.start_s for f in speech_in(ears.vad, s, ears.gate)) for s in (heard, left))
    assert after < before / 20


@pytest.mark.parametrize("name", ["laptop", "bad hybrid"])
async def test_a_caller_over_the_agents_voice_is_understood(ears: Listeners, agent: Pcm32, name: str) -> None:
    track = np.tile(without_silence(agent), 4)
    caller, spoken = caller_over(len(track))
    path, track = PATHS[name], falling_silent(track, spoken)
    left = cancel(track, path.line(path.echo(track) + caller))
    assert len(spoken) >= 4
    said = [line.text for line in spoken]
    heard = [await words_in(ears.stt, left[line.start - 4800 : line.end + 6400]) for line in spoken]
    assert jiwer.wer(said, heard) < 0.2, heard
    opened = [found.decided_at_s for found in speech_in(ears.vad, left, ears.gate)]
    onsets = [line.start / SPEECH_RATE for line in spoken]
    assert all(any(0 <= at_s - onset_s <= 0.5 for at_s in opened) for onset_s in onsets)


async def test_an_agent_that_never_stops_does_not_hide_its_caller(ears: Listeners, agent: Pcm32) -> None:
    track = np.tile(without_silence(agent), 4)
    caller, spoken = caller_over(len(track))
    path = PATHS["laptop"]
    left = cancel(track, path.line(path.echo(track) + caller))
    heard = [await words_in(ears.stt, left[line.start - 4800 : line.end + 6400]) for line in spoken]
    assert jiwer.wer([line.text for line in spoken], heard) < 0.2, heard


def test_a_line_without_echo_is_left_alone(agent: Pcm32) -> None:
    track = np.tile(agent, 2)
    caller, _ = caller_over(len(track))
    left = cancel(track, caller)
    since = 5 * SPEECH_RATE
    assert np.array_equal(left[since:], caller[since : len(left)])
