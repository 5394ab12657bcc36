"""The simulated ways back of the agent's voice do what they say."""

import numpy as np
import pytest
from scipy.signal import correlate

from scripts.bench.echo.paths import PATHS, EchoPath
from serving.audio import SPEECH_RATE, Pcm32

pytestmark = pytest.mark.unit


def noise(seconds: float = 2.0) -> Pcm32:
    return (np.random.default_rng(0).normal(size=int(seconds * SPEECH_RATE)) * 0.1).astype(np.float32)


def level_db(sound: Pcm32) -> float:
    return float(10 * np.log10(np.mean(sound**2)))


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS.keys())
def test_the_echo_comes_back_at_its_level_and_time(path: EchoPath) -> None:
    played = noise()
    echo = path.echo(played)
    late = round(path.delay_s * SPEECH_RATE)
    assert len(echo) == len(played)
    assert not echo[:late].any()
    assert level_db(echo[late:]) - level_db(played) == pytest.approx(path.gain_db, abs=0.5)
    lag = int(np.argmax(np.abs(correlate(echo, played)))) - (len(played) - 1)
    assert lag / SPEECH_RATE == pytest.approx(path.delay_s, abs=0.02)


def test_the_same_path_gives_the_same_samples() -> None:
    path = PATHS["speakerphone"]
    assert np.array_equal(path.line(path.echo(noise())), path.line(path.echo(noise())))


def test_a_driven_loudspeaker_adds_what_no_filter_can_take_away() -> None:
    t = np.arange(SPEECH_RATE) / SPEECH_RATE
    tone = (0.8 * np.sin(2 * np.pi * 400 * t)).astype(np.float32)

    def overtone(path: EchoPath) -> float:
        """Level of 1200 Hz against 400 Hz."""
        settled = path.echo(tone)[SPEECH_RATE * 6 // 10 :]
        spectrum = np.abs(np.fft.rfft(settled * np.hanning(len(settled)), SPEECH_RATE))
        return float(spectrum[1200] / spectrum[400])

    assert overtone(PATHS["loud room"]) > 0.01
    assert overtone(PATHS["quiet echo"]) < 0.001


def test_every_path_is_within_what_is_promised() -> None:
    assert {path.delay_s for path in PATHS.values()} >= {0.06, 0.4}
    assert all(-30 <= path.gain_db <= -6 for path in PATHS.values())
