"""Everything on a line that is not speech, and how often it is drawn."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from scripts.train.interruption.sounds.objects import (
    animal,
    clinks,
    keyboard,
    knocks,
    line_fault,
    machine,
    music,
    paper,
    squeak,
    tones,
)
from scripts.train.interruption.sounds.synthesis import Signal
from scripts.train.interruption.sounds.throats import breath, cough, laugh, smack, sneeze, sniff, throat_clearing
from serving.audio import Pcm32

SOUNDS: tuple[tuple[Callable[[Generator], Signal], float], ...] = (
    (cough, 5),
    (throat_clearing, 3),
    (laugh, 2),
    (breath, 2),
    (sniff, 1),
    (sneeze, 1),
    (smack, 1),
    (keyboard, 3),
    (knocks, 2),
    (clinks, 1),
    (paper, 2),
    (squeak, 1),
    (machine, 2),
    (tones, 1.5),
    (music, 2),
    (animal, 1),
    (line_fault, 2),
)
"""Each with its weight."""


def draw_sound(rng: Generator) -> Pcm32:
    """One of SOUNDS, with a peak of 1."""
    weights = np.array([weight for _, weight in SOUNDS])
    sound = SOUNDS[rng.choice(len(SOUNDS), p=weights / weights.sum())][0](rng)
    return (sound / max(1e-9, float(np.abs(sound).max()))).astype(np.float32)
