"""Damaged speech to train the recogniser on."""

import numpy as np
import pytest

from scripts.train.speech_to_text.audio import HOP, Utterance, log_mel
from scripts.train.speech_to_text.damage import Damage
from serving.audio import SPEECH_RATE

pytestmark = pytest.mark.unit

TONE = (12_000 * np.sin(2 * np.pi * 300 * np.arange(SPEECH_RATE) / SPEECH_RATE)).astype(np.int16)
UTTERANCES = [Utterance("one", TONE, np.ones(len(TONE) // HOP + 1, np.int64)), Utterance("two", TONE, None)]


def test_a_seed_gives_the_same_examples() -> None:
    first, second = Damage(3), Damage(3)
    for _ in range(30):
        one, other = first.example(UTTERANCES), second.example(UTTERANCES)
        assert one.text == other.text
        assert np.array_equal(one.samples, other.samples)


def test_examples_are_float32_within_full_scale_and_some_hold_two_utterances_or_none() -> None:
    damage = Damage(1)
    examples = [damage.example(UTTERANCES) for _ in range(200)]
    assert {example.samples.dtype for example in examples} == {np.dtype(np.float32)}
    assert max(np.abs(example.samples).max() for example in examples) <= 1.0
    assert {"", "one", "two"} < {example.text for example in examples}


def test_the_spectrum_has_a_frame_every_10_ms() -> None:
    assert log_mel(np.asarray(TONE[None] / 32768, np.float32)).shape == (1, 80, 100)
