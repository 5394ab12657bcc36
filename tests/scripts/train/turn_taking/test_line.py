"""What a line does to sound."""

import random

import numpy as np
import pytest

from scripts.train.turn_taking.line import draw_line, draw_room
from serving.audio import SPEECH_RATE

pytestmark = pytest.mark.unit


def tone(hertz: float, seconds: float = 1.0) -> np.ndarray:
    return np.asarray(
        0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * SPEECH_RATE)) / SPEECH_RATE), dtype=np.float32
    )


def rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(samples))))


@pytest.mark.parametrize("seed", range(12))
def test_every_line_keeps_the_length_and_fills_silence_with_its_noise(seed: int) -> None:
    line = draw_line(random.Random(seed))
    sound = np.concatenate([tone(300), np.zeros(SPEECH_RATE // 2, np.float32)])
    heard = line.carry(sound, babble=tone(200, 0.7))
    assert heard.shape == sound.shape
    assert heard.dtype == np.float32
    assert np.abs(heard).max() <= 1.0
    assert rms(heard[-SPEECH_RATE // 10 :]) < rms(heard[:SPEECH_RATE])


def test_the_same_line_carries_the_same_sound_alike() -> None:
    line = draw_line(random.Random(5))
    assert np.array_equal(line.carry(tone(300)), line.carry(tone(300)))


def test_a_room_has_all_its_energy_in_one() -> None:
    assert float(np.sum(draw_room(random.Random(1)) ** 2)) == pytest.approx(1.0, rel=1e-4)
