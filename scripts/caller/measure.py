"""Latency from the recorded audio alone. Pure: two mono arrays and the positions of the caller's lines in, times out.

Sound is judged by RMS level in windows of 5 ms. The caller's channel is what was sent, lines at -20 dBFS over a floor of
-60 dBFS, so anything above -50 dBFS is voice. The agent's channel went through Opus and a jitter buffer, whose comfort noise
stays below -60 dBFS, so the threshold is -45 dBFS. Anything shorter than 20 ms is a click. The agent pauses at commas and
between sentences; only SILENCE_S without sound ends what it says.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scripts.caller.clock import RATE
from serving.audio import Pcm16

CALLER_THRESHOLD_DBFS = -50.0
"""RMS of a window above which the caller is sounding."""
AGENT_THRESHOLD_DBFS = -45.0
"""RMS of a window above which the agent is sounding."""
WINDOW_SAMPLES = RATE // 200
"""5 ms: the resolution of all times measured here."""
CLICK_WINDOWS = 4
"""Sounds shorter than 20 ms are not speech."""
SILENCE_S = 0.35
"""The agent has stopped once it is silent for this long; pauses within its speech are shorter."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The place of a caller's line in the recording."""

    start_sample: int
    """First sample of the line's audio."""
    end_sample: int
    """Just after its last sample."""
    takes_floor: bool = True
    """False for a backchannel, which needs no answer."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of sound, seconds from the recording's origin."""

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class TurnTiming:
    """A line of the caller and the agent's answer, in seconds from the recording's origin."""

    caller_start_s: float
    """First voiced sample of the line."""
    caller_end_s: float
    """Last voiced sample of the line."""
    agent_start_s: float | None
    """First voiced sample of the answer; None without an answer."""
    agent_end_s: float | None
    """Last voiced sample of the answer before the caller's next line was over."""
    voice_to_voice_ms: float | None
    """agent_start - caller_end; negative if the agent began before the caller had finished."""
    overlap_ms: float
    """How long both sounded at once during the line."""
    stopped_after_ms: float | None
    """For a line that began over the agent: from its first voiced sample to the agent's last. None if the agent was silent when
    the line began, or went on for more than 2 s after its end."""


def level_dbfs(samples: Pcm16) -> float:
    """RMS level of a block in dB relative to full scale; -inf for digital silence."""
    rms = float(np.sqrt(np.mean(np.square(samples.astype(np.float64))))) if len(samples) else 0.0
    return 20 * float(np.log10(rms / 32768)) if rms else -np.inf


def sounding(samples: Pcm16, threshold_dbfs: float) -> npt.NDArray[np.bool_]:
    """For each 5 ms window whether it sounds, clicks removed, shape (ceil(n / WINDOW_SAMPLES),)."""
    padded = np.pad(samples, (0, -len(samples) % WINDOW_SAMPLES)).astype(np.float64)
    power = np.square(padded.reshape(-1, WINDOW_SAMPLES)).mean(axis=1)
    active: npt.NDArray[np.bool_] = power > (32768 * 10 ** (threshold_dbfs / 20)) ** 2
    for start, end in _runs(active):
        if end - start < CLICK_WINDOWS:
            active[start:end] = False
    return active


def spans(samples: Pcm16, threshold_dbfs: float, silence_s: float) -> list[Span]:
    """Stretches of sound, merged if less than `silence_s` apart."""
    window_s = WINDOW_SAMPLES / RATE
    found: list[Span] = []
    for start, end in _runs(sounding(samples, threshold_dbfs)):
        if found and start * window_s - found[-1].end_s < silence_s:
            found[-1] = Span(found[-1].start_s, end * window_s)
        else:
            found.append(Span(start * window_s, end * window_s))
    return found


def measure(caller: Pcm16, agent: Pcm16, marks: list[Mark]) -> list[TurnTiming]:
    """One timing for each mark, in order; both arrays are int16 at RATE and begin at the same instant."""
    voiced = [_voiced(caller, mark) for mark in marks]
    spoken = spans(agent, AGENT_THRESHOLD_DBFS, SILENCE_S)
    timings = []
    for i, (mark, line) in enumerate(zip(marks, voiced, strict=True)):
        later = [v for m, v in zip(marks[i + 1 :], voiced[i + 1 :], strict=True) if m.takes_floor]
        timings.append(_turn(mark, line, spoken, later[0].end_s if later else np.inf))
    return timings


def _turn(mark: Mark, line: Span, spoken: list[Span], next_end_s: float) -> TurnTiming:
    under = next((s for s in spoken if s.start_s < line.start_s < s.end_s), None)
    answer = None
    if mark.takes_floor:
        answer = next((s for s in spoken if line.start_s <= s.start_s < next_end_s), None)
    overlap_s = sum(max(0.0, min(s.end_s, line.end_s) - max(s.start_s, line.start_s)) for s in spoken)
    stopped = under is not None and under.end_s < line.end_s + 2.0
    return TurnTiming(
        caller_start_s=line.start_s,
        caller_end_s=line.end_s,
        agent_start_s=answer.start_s if answer else None,
        agent_end_s=max(s.end_s for s in spoken if s.start_s < next_end_s) if answer else None,
        voice_to_voice_ms=1000 * (answer.start_s - line.end_s) if answer else None,
        overlap_ms=1000 * overlap_s,
        stopped_after_ms=1000 * (under.end_s - line.start_s) if under and stopped else None,
    )


def _voiced(caller: Pcm16, mark: Mark) -> Span:
    """First to last voiced sample of a line; the whole line if nothing in it is loud enough."""
    inner = spans(caller[mark.start_sample : mark.end_sample], CALLER_THRESHOLD_DBFS, np.inf)
    at_s = mark.start_sample / RATE
    return Span(at_s + inner[0].start_s, at_s + inner[0].end_s) if inner else Span(at_s, mark.end_sample / RATE)


def _runs(active: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Start and end (exclusive) of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], active, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
