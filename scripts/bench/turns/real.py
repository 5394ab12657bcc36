"""Recorded speech of people for the end-of-turn bench: meetings with speakers' times, and single utterances. Words are withheld.

A turn in a meeting is what one speaker says before another takes over: a run of their segments in the reference, in the order of
their starts. Its pauses are the silences of 0.2 to 5 s within the run, found by energy, in which nobody else speaks. Its end
counts if the speaker has spoken for half a second, another starts within 3 s, and nobody speaks at that moment. The pauses of an
utterance are its inner silences of at least 0.2 s, and it ends with its last sound. An end is followed by the recording up to the
next speaker, then by noise with the spectrum of the recording's quiet parts.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from scripts.bench.rttm import Segment, read_rttm
from scripts.bench.turns.cases import SCORED_S, Pause, TurnCase
from scripts.paths import REAL_SPEECH
from serving.audio import SPEECH_RATE, Pcm32
from serving.speech import Asked

MIN_PAUSE_S, MAX_PAUSE_S = 0.2, 5.0
MIN_TURN_S, TAKEN_OVER_WITHIN_S = 0.5, 3.0
FRAME_S = 0.01
QUIET_DB = -30.0
"""Level below a recording's loud frames at which silence begins, unless the recording's own noise is louder."""
OVER_NOISE_DB = 8.0


def real_cases() -> Iterator[TurnCase]:
    """Meetings, then utterances."""
    meetings = read_rttm(REAL_SPEECH / "ami" / "ami.rttm")
    for name, segments in meetings.items():
        samples = _read(REAL_SPEECH / "ami" / f"{name}.flac")
        for turn in turns(segments):
            yield from _meeting_turn(name, samples, turn, segments)
    for path in sorted((REAL_SPEECH / "utterances").glob("*.flac")):
        samples = _read(path)
        runs = sounds(samples)
        yield _case("utterances", path.stem, samples, _silences(runs), runs[-1][1], len(samples) / SPEECH_RATE)


def turns(segments: Sequence[Segment]) -> list[list[Segment]]:
    """Runs of one speaker's segments."""
    return [list(run) for _, run in groupby(segments, key=lambda one: one.speaker)]


def sounds(samples: Pcm32) -> list[tuple[float, float]]:
    """Stretches of sound, start and end in seconds, separated by at least MIN_PAUSE_S of silence."""
    levels = levels_db(samples)
    floor = max(float(np.quantile(levels, 0.95)) + QUIET_DB, float(np.quantile(levels, 0.05)) + OVER_NOISE_DB)
    loud = np.flatnonzero(levels > floor)
    breaks = np.flatnonzero(np.diff(loud) > MIN_PAUSE_S / FRAME_S)
    begins = [loud[0], *(loud[place + 1] for place in breaks)]
    ends = [*(loud[place] + 1 for place in breaks), loud[-1] + 1]
    return [(float(begin) * FRAME_S, float(end) * FRAME_S) for begin, end in zip(begins, ends, strict=True)]


def levels_db(samples: Pcm32) -> npt.NDArray[np.float64]:
    """RMS of each frame of FRAME_S, in dB relative to full scale."""
    size = round(FRAME_S * SPEECH_RATE)
    frames = samples[: len(samples) // size * size].reshape(-1, size).astype(np.float64)
    return np.asarray(20 * np.log10(np.sqrt(np.mean(np.square(frames), axis=1)) + 1e-5))


def is_end(turn: Sequence[Segment], segments: Sequence[Segment]) -> bool:
    """Whether another speaker clearly takes over after a turn."""
    end_s = turn[-1].end_s
    others = [one for one in segments if one.speaker != turn[-1].speaker]
    if sum(one.end_s - one.start_s for one in turn) < MIN_TURN_S or not is_clear(end_s, end_s, others):
        return False
    following = [one for one in segments if one.start_s >= end_s]
    return bool(following) and following[0] in others and following[0].start_s <= end_s + TAKEN_OVER_WITHIN_S


def is_clear(start_s: float, end_s: float, others: Sequence[Segment]) -> bool:
    """Whether none of the others speaks in between."""
    return all(one.end_s <= start_s or one.start_s >= end_s for one in others)


def _meeting_turn(
    name: str, samples: Pcm32, turn: Sequence[Segment], segments: Sequence[Segment]
) -> Iterator[TurnCase]:
    start_s, end_s = turn[0].start_s, turn[-1].end_s
    runs = [(start_s + begin, start_s + end) for begin, end in sounds(_between(samples, start_s, end_s))]
    others = [one for one in segments if one.speaker != turn[0].speaker]
    pauses = [pause for pause in _silences(runs) if is_clear(pause.start_s, pause.start_s + pause.length_s, others)]
    ended = is_end(turn, segments)
    if pauses or ended:
        until_s = min((one.start_s for one in others if one.start_s >= end_s), default=len(samples) / SPEECH_RATE)
        yield _case("meetings", f"{name} {turn[0].speaker}", samples, pauses, runs[-1][1] if ended else None, until_s)


def _silences(runs: Sequence[tuple[float, float]]) -> list[Pause]:
    gaps = ((before[1], after[0] - before[1]) for before, after in pairwise(runs))
    return [Pause("pause", at_s, length_s) for at_s, length_s in gaps if MIN_PAUSE_S <= length_s <= MAX_PAUSE_S]


def _case(
    group: str, name: str, samples: Pcm32, pauses: Sequence[Pause], end_s: float | None, until_s: float
) -> TurnCase:
    """A turn of a recording, heard from the recording's start: a detector may use what came before the turn."""
    heard = _between(samples, 0.0, until_s)
    if end_s is not None:
        missing = round((end_s + SCORED_S) * SPEECH_RATE) - len(heard)
        heard = np.concatenate([heard, quiet_noise(samples, max(0, missing))])
        pauses = [*pauses, Pause("end", end_s, float("inf"))]
    return TurnCase(group, True, "recorded", name, Asked.NOTHING, "", heard.astype(np.float32), tuple(pauses), ())


def quiet_noise(samples: Pcm32, count: int) -> Pcm32:
    """This many samples of noise with the spectrum of a recording's quietest tenth and random phases."""
    size, levels = round(FRAME_S * SPEECH_RATE), levels_db(samples)
    quietest = np.flatnonzero(levels <= np.quantile(levels, 0.1))
    quiet = np.concatenate([samples[place * size : (place + 1) * size] for place in quietest])
    spectrum = np.abs(np.fft.rfft(quiet))
    turned = np.exp(2j * np.pi * np.random.default_rng(0).random(len(spectrum)))
    return np.resize(np.fft.irfft(spectrum * turned, len(quiet)), count).astype(np.float32)


def _between(samples: Pcm32, start_s: float, end_s: float) -> Pcm32:
    return samples[round(start_s * SPEECH_RATE) : round(end_s * SPEECH_RATE)]


def _read(path: Path) -> Pcm32:
    samples, _ = soundfile.read(path, dtype="float32")
    return np.asarray(samples, dtype=np.float32)
