"""Finds the stretches of a reply that are in a recording of what the caller heard, by sound alone. Pure.

The reply comes back decoded, slightly stretched by a jitter buffer, cut off somewhere, and with a gap where the agent was
paused. Windows of the reply are located in the recording by normalized cross-correlation. Windows that agree on their lag make
a run, whose ends are then traced window by window.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.signal import fftconvolve

from agent.replies.heard import Run

Signal = npt.NDArray[np.float64]

SEED_S = 0.1
"""Length of the windows that find a run."""
SHORT_SEED_S = 0.06
"""The same at the start of a reply, which may have been cut there."""
SEED_HOP_S = 0.025
SEED_MATCH = 0.85
"""Correlation above which a window counts as found: Opus leaves 0.9 or more, other words of the same voice rarely reach 0.85."""
SEEDS = 4
"""Windows that must agree to make a run; at the start of a reply 2 are enough."""
EDGE_S = 0.03
"""Length of the windows that trace a run to its ends."""
EDGE_HOP_S = 0.005
EDGE_MATCH = 0.6
DRIFT_S = 0.015
"""How far the lag may drift within a run: a jitter buffer drops or repeats periods of the voice."""
MAX_GAP_S = 0.6
"""Longest stretch within a run in which no window is found."""
MAX_REPEAT_S = 0.9
"""How much more than the pause the lag may grow: the longest word, said again."""
OVERLAP_S = 0.1
"""How far windows of different runs may overlap in the recording."""
SILENT = 10 ** (-50 / 20) * 32768
"""RMS below which a window tells nothing about the lag."""


@dataclass(frozen=True, slots=True)
class Found:
    """A stretch of the reply that is in the recording."""

    run: Run
    """Its place in the reply."""
    lag_s: float
    """Time in the recording minus time in the reply, at the start of the run."""
    end_lag_s: float
    """The same at its end."""


@dataclass(frozen=True, slots=True)
class Seed:
    """A window of the reply that was found in the recording, in samples."""

    at: int
    length: int
    lag: int

    @property
    def heard_at(self) -> int:
        """Its place in the recording."""
        return self.at + self.lag


def runs_heard(
    reply: npt.ArrayLike,
    recording: npt.ArrayLike,
    rate: int,
    *,
    first_lag_s: float,
    pauses_s: Sequence[float] = (),
) -> list[Found]:
    """The stretches of `reply` that are in `recording`, both mono at `rate`, in the order in which they were heard.

    The reply starts within the first `first_lag_s` seconds of the recording, and was paused for `pauses_s`. A stretch that
    ends within a silence of the reply is taken to end at the last sound before it.
    """
    said, heard = np.asarray(reply, np.float64), np.asarray(recording, np.float64)
    lags = range(round((first_lag_s + sum(pauses_s) + len(pauses_s) * MAX_REPEAT_S) * rate))
    groups = _groups(_seeds(said, heard, rate, lags), rate)
    return [_run(said, heard, rate, group) for group in _chain(groups, rate, may_repeat=bool(pauses_s))]


def _run(said: Signal, heard: Signal, rate: int, group: list[Seed]) -> Found:
    """The whole run to which a group of windows belongs."""
    lag, end_lag = (round(float(np.median([seed.lag for seed in part]))) for part in (group[:5], group[-5:]))
    inside = round(EDGE_S * rate)
    start = _follow(said, heard, rate, group[0].at + inside, lag, -1)
    end = _follow(said, heard, rate, group[-1].at + inside, end_lag, 1)
    return Found(Run(start / rate, max(start, end) / rate), lag / rate, end_lag / rate)


def _chain(groups: list[list[Seed]], rate: int, *, may_repeat: bool) -> list[list[Seed]]:
    """The groups that can have been heard one after another and hold the most windows."""
    overlap = round(OVERLAP_S * rate)
    groups = sorted(groups, key=lambda group: group[0].heard_at)
    best: list[tuple[int, list[list[Seed]]]] = []
    for group in groups:
        before: tuple[int, list[list[Seed]]] = (0, [])
        for weight, chain in best:
            last, first = chain[-1][-1], group[0]
            follows = first.heard_at >= last.heard_at + last.length - overlap
            repeats = first.at < last.at + last.length - overlap
            if follows and (may_repeat or not repeats) and weight > before[0]:
                before = weight, chain
        best.append((before[0] + len(group), [*before[1], group]))
    return max(best, key=lambda one: one[0], default=(0, []))[1]


def _groups(seeds: list[Seed], rate: int) -> list[list[Seed]]:
    """Seeds grouped by lag, in the order of their first."""
    groups: list[list[Seed]] = []
    for seed in seeds:
        near = [
            group
            for group in groups
            if abs(float(np.median([other.lag for other in group[-5:]])) - seed.lag) <= DRIFT_S * rate
            and seed.at - group[-1].at <= MAX_GAP_S * rate
        ]
        if near:
            max(near, key=len).append(seed)
        else:
            groups.append([seed])
    opening = round(SEED_S * rate)
    return [group for group in groups if len(group) >= (2 if group[0].at < opening else SEEDS)]


def _seeds(said: Signal, heard: Signal, rate: int, lags: range) -> list[Seed]:
    """Every window that is found in the recording at one of the lags."""
    size, short, hop = round(SEED_S * rate), round(SHORT_SEED_S * rate), round(SEED_HOP_S * rate)
    windows = [(at, short) for at in range(0, size, hop // 2)] + [(at, size) for at in range(0, len(said), hop)]
    found = []
    for at, length in windows:
        lag = _look_up(said[at : at + length], heard, at, lags) if at + length <= len(said) else None
        found += [] if lag is None else [Seed(at, length, lag)]
    return sorted(found, key=lambda seed: seed.at)


def _look_up(window: Signal, heard: Signal, start: int, lags: range) -> int | None:
    low = max(0, start + lags.start)
    region = heard[low : start + lags.stop + len(window)]
    if len(window) > len(region) or _rms(window) < SILENT:
        return None
    match = _matches(window, region, fftconvolve(region, window[::-1], mode="valid"))
    best = int(np.argmax(match))
    return low + best - start if match[best] >= SEED_MATCH else None


def _matches(window: Signal, region: Signal, dot: Signal) -> Signal:
    """Normalized correlation of a window with every place in a region; 0 where the region is much quieter."""
    energy = np.concatenate([[0.0], np.cumsum(region**2)])
    local = np.sqrt(np.maximum(energy[len(window) :] - energy[: -len(window)], 1.0))
    own = np.sqrt(np.sum(window**2))
    return np.where(local > own / 4, dot / (local * own), 0.0)


def _follow(said: Signal, heard: Signal, rate: int, edge: int, lag: int, step: int) -> int:
    """Where a run ends, traced from `edge` inside it forwards (1) or backwards (-1)."""
    size, hop, missed = round(EDGE_S * rate), round(EDGE_HOP_S * rate), 0
    at = last = edge
    while 0 <= at <= len(said) and missed * hop <= size:
        start = max(0, at - size) if step > 0 else at
        window = said[start : start + size]
        if len(window) < size // 2:
            break
        if _rms(window) >= SILENT:
            match, here = _best_near(window, heard, start + lag, rate // 1000)
            missed = 0 if match >= EDGE_MATCH else missed + 1
            if missed == 0:
                last, lag = at, lag + here
        at += step * hop
    return _change(said, heard, last, lag, step, size)


def _change(said: Signal, heard: Signal, near: int, lag: int, step: int, reach: int) -> int:
    """The sample at which the reply stops being in the recording: up to it "present" is the likelier explanation, beyond it
    "absent", summed over samples of equal noise."""
    low, high = max(0, near - 2 * reach, -lag), min(len(said), near + 2 * reach, len(heard) - lag)
    if high - low < reach:
        return near
    part, there = said[low:high], heard[low + lag : high + lag]
    sure = slice(0, reach) if step > 0 else slice(-reach, None)
    gain = float(np.dot(part[sure], there[sure]) / max(np.dot(part[sure], part[sure]), 1.0))
    gain = min(max(gain, 0.5), 1.2)
    evidence = 2 * gain * part * there - (gain * part) ** 2
    if step > 0:
        return low + int(np.argmax(np.concatenate([[0.0], np.cumsum(evidence)])))
    return high - int(np.argmax(np.concatenate([[0.0], np.cumsum(evidence[::-1])])))


def _best_near(window: Signal, heard: Signal, expected: int, drift: int) -> tuple[float, int]:
    """The best correlation within `drift` of where the window is expected, and its distance from there."""
    low = max(0, expected - drift)
    region = heard[low : expected + drift + len(window)]
    if len(region) < len(window):
        return 0.0, 0
    match = _matches(window, region, np.correlate(region, window, mode="valid"))
    best = int(np.argmax(match))
    return float(match[best]), low + best - expected


def _rms(window: Signal) -> float:
    return float(np.sqrt(np.mean(window**2))) if len(window) else 0.0
