"""What the interruption model makes of sounds without the VAD and the recogniser in front of it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from scripts.bench.bargein.cases import Case
from scripts.bench.bargein.compare import VAD_WINDOW_S, Run
from scripts.bench.bargein.overlapped_speech import overlapped_segments
from scripts.bench.bargein.run import NEVER, Sound, judged, stop_by_model
from scripts.figures import milliseconds
from serving.audio import SPEECH_RATE, Pcm32
from serving.engine import InterruptionEngine

NOTICED_AFTER_S, JUDGED_S = 0.064, 0.7
"""Each sound is judged as if the VAD had noticed it this soon, for this long."""


def cost(runs: Sequence[Run]) -> str:
    """Processor time of an answer, and how many interruptions the VAD missed."""
    took_s = [answer.took_s for _, _, sounds in runs for answers in sounds for answer in answers]
    missed = sum(not sounds for case, sounds, _ in runs if case.is_interruption)
    p50, p95 = (milliseconds(took_s, percent, digits=1) for percent in (50, 95))
    return (
        f"The model's answer, processor time: p50 {p50}, p95 {p95} of {len(took_s)}. "
        f"Interruptions that the VAD never noticed: {missed}."
    )


def unnoticed(cases: Sequence[Case], engine: InterruptionEngine) -> list[str]:
    """For each group of cases that the VAD did not notice, how many the model would have stopped the agent for."""
    found: dict[str, list[bool]] = {}
    for case in cases:
        found.setdefault(case.group, []).append(_stop_s(case.samples, case.onset_s, engine) < NEVER)
    return [
        f"Unnoticed by the VAD, {group}: {np.mean(stops):.1%} of {len(stops)} would have stopped the agent."
        for group, stops in found.items()
    ]


def meetings(folder: Path, engine: InterruptionEngine) -> list[str]:
    """How often segments of real meetings, from their labelled start, count as interruptions."""
    found: dict[bool, list[bool]] = {True: [], False: []}
    for segment in overlapped_segments(folder):
        part = segment.samples[: round((segment.start_s + JUDGED_S) * SPEECH_RATE)]
        found[segment.is_long].append(_stop_s(part, segment.start_s, engine) < NEVER)
    if not found[True]:
        return [f"No meetings: {folder} is missing."]
    kinds = {True: "long (2 s or more)", False: "short (0.8 s or less)"}
    return [
        f"Meetings (AMI), {kinds[is_long]} segments over another speaker: {np.mean(stops):.0%} of {len(stops)} "
        f"taken for an interruption within {JUDGED_S} s"
        for is_long, stops in found.items()
    ]


def _stop_s(samples: Pcm32, onset_s: float, engine: InterruptionEngine) -> float:
    sound = Sound(onset_s, onset_s + NOTICED_AFTER_S, onset_s + JUDGED_S)
    return stop_by_model(asyncio.run(judged(samples, [sound], engine, VAD_WINDOW_S)))
