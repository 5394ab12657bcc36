"""Synthesized sounds: every one can be heard, and a seed gives the same one for good."""

import numpy as np
import pytest

from scripts.train.interruption.sounds.catalogue import SOUNDS, draw_sound
from scripts.train.interruption.sounds.murmurs import hummed
from serving.audio import SPEECH_RATE

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("make", [make for make, _ in SOUNDS], ids=lambda make: make.__name__)
def test_a_seed_gives_the_same_sound_and_another_seed_another(make: type) -> None:
    first, again, other = (make(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other[: len(first)])
    assert np.isfinite(first).all()
    assert np.abs(first).max() > 0
    assert 0.01 * SPEECH_RATE < len(first) < 6 * SPEECH_RATE


@pytest.mark.parametrize("draw", [draw_sound, hummed])
def test_what_is_drawn_has_a_peak_of_one(draw: type) -> None:
    for seed in range(20):
        sound = draw(np.random.default_rng(seed))
        assert sound.dtype == np.float32
        assert np.abs(sound).max() == pytest.approx(1.0)
