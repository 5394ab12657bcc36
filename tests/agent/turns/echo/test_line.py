"""A line's echo is found at its delay, and its linear part taken away."""

import numpy as np
import pytest

from agent.turns.echo.line import EchoLine
from agent.turns.echo.linear import BLOCK_SAMPLES
from scripts.bench.echo.paths import PATHS, EchoPath
from serving.audio import SPEECH_RATE, Pcm32

pytestmark = pytest.mark.unit


def voice(seconds: float = 12.0) -> Pcm32:
    """Noise that comes and goes four times a second, as syllables do."""
    samples = round(seconds * SPEECH_RATE)
    syllables = np.sin(np.pi * 4 * np.arange(samples) / SPEECH_RATE) ** 2
    sound: Pcm32 = (np.random.default_rng(0).normal(size=samples) * 0.1 * syllables).astype(np.float32)
    return sound


def blocks(sound: Pcm32) -> list[Pcm32]:
    return np.split(sound[: len(sound) // BLOCK_SAMPLES * BLOCK_SAMPLES], len(sound) // BLOCK_SAMPLES)


def through(line: EchoLine, played: Pcm32, heard: Pcm32) -> Pcm32:
    left: Pcm32 = np.concatenate([line.push(*pair) for pair in zip(blocks(played), blocks(heard), strict=True)])
    return left


@pytest.mark.parametrize("path", [PATHS[name] for name in ("next door", "laptop", "far away", "mobile")])
def test_the_echo_is_found_and_most_of_it_taken_away(path: EchoPath) -> None:
    line, played = EchoLine(), voice()
    heard = path.echo(played)
    left = through(line, played, heard)
    assert line.delay_samples is not None
    assert line.delay_samples / SPEECH_RATE == pytest.approx(path.delay_s, abs=0.02)
    assert not line.is_clear
    half = len(left) // 2
    assert np.mean(left[half:] ** 2) < np.mean(heard[half : len(left)] ** 2) / 10


def test_a_long_delay_is_shortened_for_a_canceller_that_looks_back_half_a_second() -> None:
    line, played = EchoLine(), voice()
    path = PATHS["mobile"]
    through(line, played, path.echo(played))
    newest = blocks(played)[-1]
    assert not np.array_equal(line.reference, newest)
    shift = round((path.delay_s - 0.1) * SPEECH_RATE)
    end = len(blocks(played)) * BLOCK_SAMPLES
    found = np.correlate(played[end - shift - 2 * BLOCK_SAMPLES : end - shift + BLOCK_SAMPLES], line.reference)
    assert found.max() == pytest.approx(np.sum(line.reference**2), rel=1e-3)


@pytest.mark.parametrize("name", ["next door", "laptop"])
def test_a_short_delay_is_left_to_it(name: str) -> None:
    line, played = EchoLine(), voice()
    through(line, played, PATHS[name].echo(played))
    assert np.array_equal(line.reference, blocks(played)[-1])


def test_a_line_is_clear_once_the_agent_has_spoken_and_nothing_came_back() -> None:
    line, played = EchoLine(), voice()
    heard = (np.random.default_rng(1).normal(size=len(played)) * 0.05).astype(np.float32)
    quiet = np.zeros(SPEECH_RATE, np.float32)
    through(line, quiet, heard[: len(quiet)])
    assert not line.is_clear
    left = through(line, played, heard)
    assert line.is_clear
    assert np.array_equal(left, heard[: len(left)])


def test_the_agents_first_words_are_unsettled_and_nothing_else() -> None:
    line, played = EchoLine(), voice(5.0)
    quiet = np.zeros(SPEECH_RATE, np.float32)
    through(line, quiet, quiet)
    assert not line.is_unsettled
    unsettled = []
    for pair in zip(blocks(played), blocks(PATHS["laptop"].echo(played)), strict=True):
        line.push(*pair)
        unsettled.append(line.is_unsettled)
    assert all(unsettled[2:75])
    assert not any(unsettled[150:])
