"""What the demo's recogniser makes of rendered takes: its own errors, and the ends that it makes up for sentences cut short."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from faster_whisper import WhisperModel

from models.demo.end_of_turn.training.takes import Take
from models.demo.turn_taking.voices import RATE

SOUND_S = 6.0
"""So much of a take's sound is kept: what was said before is known as it was said."""


def hypotheses(recogniser: Path | None, takes: Sequence[Take]) -> list[str | None]:
    """The words of each take; None without a recogniser."""
    if recogniser is None:
        return [None] * len(takes)
    model = WhisperModel(str(recogniser), device="cpu", compute_type="int8", cpu_threads=1)
    return list(_hypotheses(model, takes))


def _hypotheses(model: WhisperModel, takes: Sequence[Take]) -> Iterator[str | None]:
    for take in takes:
        words, said = transcribed(model, take).split(), take.words.split()
        is_cut = len(take.samples) >= SOUND_S * RATE
        before = said[: max(len(said) - len(words) + 1, 0)] if is_cut else []
        yield " ".join([*before, *words[1 if before else 0 :]])


def transcribed(model: WhisperModel, take: Take) -> str:
    """What the recogniser makes of the sound that a take has."""
    padded = np.concatenate([take.samples, np.zeros(RATE // 2, np.float32)])
    segments, _ = model.transcribe(
        padded, language="en", beam_size=1, temperature=0.0, without_timestamps=True, suppress_blank=False
    )
    return " ".join(segment.text for segment in segments)
