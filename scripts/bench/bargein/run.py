"""Runs cases through the VAD and the interruption model as a call does, and tells when each way of deciding stops the agent."""

import asyncio
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.turns.barge_in import (
    DEFAULT_OPTIONS,
    Overlap,
    OverlapOptions,
    Window,
    decide_overlap,
    judge_overlap,
    sure_of,
)
from serving.audio import SPEECH_RATE, Pcm32
from serving.engine import InterruptionEngine, VadEngine
from serving.speech import VoiceActivity, Word
from serving.vad.gate import Gate, GateClosed, GateOpened, GateOptions

WINDOW_EVERY_S = 0.1
"""How often LiveKit asks, first this long after the VAD has noticed."""
LIVEKIT_MIN_DURATION_S = 0.5
"""LiveKit's default: this much speech, by the VAD with its hangover, stops the agent."""
WORDS_MIN_DURATION_S = 1.4
"""The rule without a model: this much speech stops the agent, and recognised words stop it sooner."""
NEVER = math.inf


@dataclass(frozen=True, slots=True)
class Sound:
    """A stretch that the VAD took for speech."""

    opened_at_s: float
    decided_at_s: float
    closed_at_s: float
    """When the VAD decided that it was over, or the end of the audio."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """An answer of the model and its time."""

    asked_at_s: float
    """On the audio's clock."""
    took_s: float
    """Processor time, which other programs do not lengthen."""
    window: Window

    @property
    def at_s(self) -> float:
        """When the answer was ready."""
        return self.asked_at_s + self.took_s


@dataclass(frozen=True, slots=True)
class Heard:
    """Words recognised so far."""

    at_s: float
    """When they were ready, on the audio's clock."""
    text: str
    is_final: bool
    words: tuple[Word, ...]
    """The words of the text, with their probabilities."""


def sounds_of(activities: Sequence[VoiceActivity], options: GateOptions, window_s: float) -> list[Sound]:
    """The stretches that the gate takes for speech."""
    gate, found = Gate(options, window_s=window_s), list[Sound]()
    opened: GateOpened | None = None
    for activity in activities:
        decision = gate.push(activity)
        if isinstance(decision, GateOpened):
            opened = decision
        elif isinstance(decision, GateClosed) and opened is not None:
            found.append(Sound(opened.at_s, opened.decided_at_s, decision.decided_at_s))
            opened = None
    if opened is not None:
        found.append(Sound(opened.at_s, opened.decided_at_s, activities[-1].end_s))
    return found


def asked_at(sound: Sound) -> Iterator[float]:
    """When LiveKit asks about a sound."""
    count = int((sound.closed_at_s - sound.decided_at_s) / WINDOW_EVERY_S + 1e-6)
    yield from (sound.decided_at_s + WINDOW_EVERY_S * (number + 1) for number in range(count))


async def judged(
    samples: Pcm32, sounds: Sequence[Sound], engine: InterruptionEngine, window_s: float, max_overlap_s: float = 1.6
) -> list[list[Judgement]]:
    """The model's answers for each sound, whose length is known up to the VAD's latest window."""
    found = []
    for sound in sounds:
        answers = []
        for at_s in asked_at(sound):
            overlap_s = int(at_s / window_s + 1e-6) * window_s - sound.opened_at_s
            if overlap_s > max_overlap_s:
                break
            began_s = time.process_time()
            verdict = await engine.predict(samples[: round(at_s * SPEECH_RATE)], overlap_s)
            answers.append(Judgement(at_s, time.process_time() - began_s, (overlap_s, verdict)))
        found.append(answers)
    return found


def activities_of(vad: VadEngine, samples: Pcm32) -> list[VoiceActivity]:
    """The VAD's decisions on a whole case."""
    return vad.open().push(samples)


def stop_by_model(
    judgements: Sequence[Sequence[Judgement]], heard: Sequence[Heard] = (), options: OverlapOptions = DEFAULT_OPTIONS
) -> float:
    """When the rule of a call stops the agent; NEVER if it does not."""
    stops = []
    for answers in judgements:
        moments = sorted([answer.at_s for answer in answers] + [words.at_s for words in heard])
        for now_s in moments:
            windows = [answer.window for answer in answers if answer.at_s <= now_s]
            words = [word for word in heard if word.at_s <= now_s]
            last = words[-1] if words else Heard(now_s, "", is_final=False, words=())
            sure = sure_of(last.words, options.sure_word)
            verdict = decide_overlap(windows, last.text, sure=sure, words_are_final=last.is_final, options=options)
            if verdict is Overlap.BARGE_IN:
                stops.append(now_s)
                break
    return min(stops, default=NEVER)


def stop_by_length(sounds: Sequence[Sound], min_duration_s: float, vad_window_s: float) -> float:
    """When speech has lasted this long by the VAD, whose hangover counts, as in LiveKit."""
    for sound in sounds:
        windows = math.ceil((sound.opened_at_s + min_duration_s) / vad_window_s - 1e-6)
        at_s = max(windows * vad_window_s, sound.decided_at_s)
        if at_s < sound.closed_at_s - 1e-6:
            return at_s
    return NEVER


def stop_by_words(sounds: Sequence[Sound], heard: Sequence[Heard], vad_window_s: float) -> float:
    """When the words are a barge-in, or the sound has lasted WORDS_MIN_DURATION_S."""
    by_words = [words.at_s for words in heard if judge_overlap(words.text, is_final=words.is_final) is Overlap.BARGE_IN]
    return min([*by_words, stop_by_length(sounds, WORDS_MIN_DURATION_S, vad_window_s)])


def run(
    samples: Pcm32, vad: VadEngine, engine: InterruptionEngine, options: GateOptions
) -> tuple[list[Sound], list[list[Judgement]]]:
    """The sounds of a case, and the model's answers for each."""
    window_s = vad.window_samples / SPEECH_RATE
    sounds = sounds_of(activities_of(vad, samples), options, window_s)
    return sounds, asyncio.run(judged(samples, sounds, engine, window_s))
