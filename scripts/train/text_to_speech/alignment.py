"""Lines up espeak's IPA with flite's phones: how many teacher frames belong to each code point that Piper sends.

Dynamic programming over a table of phone similarities. Stress and length marks never get frames (the model learns their meaning
from context), and neither do spaces without a pause.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

# fmt: off
PAIRED = {"aɪ": "ay", "aʊ": "aw", "ɔɪ": "oy", "eɪ": "ey", "oʊ": "ow", "tʃ": "ch", "dʒ": "jh"}
"""Pairs of code points that are one flite phone."""
SINGLE = {
    "a": "ae aa ay aw", "æ": "ae", "ɑ": "aa ao", "ɒ": "aa ao", "ɔ": "ao aa ow oy", "o": "ow ao", "e": "ey eh",
    "ɛ": "eh ae", "ɜ": "er", "ɚ": "er ax", "ə": "ax ah ih er", "ɐ": "ax ah ae aa ey", "ʌ": "ah ax aa",
    "ɪ": "ih iy ax", "i": "iy ih", "ᵻ": "ih ax iy", "ʊ": "uh uw ax", "u": "uw uh", "y": "uw",
    "b": "b p", "d": "d t", "f": "f v", "ɡ": "g k", "g": "g k", "h": "hh", "j": "y", "k": "k g", "l": "l", "m": "m n",
    "n": "n m ng", "ŋ": "ng n", "p": "p b", "ɹ": "r er", "r": "r", "s": "s z sh", "z": "z s zh", "ʃ": "sh ch s zh",
    "ʒ": "zh jh sh", "t": "t d dx", "ɾ": "t d dx r", "ʔ": "t k", "θ": "th dh t", "ð": "dh th d", "v": "v f",
    "w": "w", "x": "k hh", "ɬ": "l", "ç": "hh",
}
"""flite phones that a code point may align with, best first."""
VOWELS = frozenset(
    ("aa", "ae", "ah", "ao", "aw", "ax", "ay", "eh", "er", "ey", "ih", "iy", "ow", "oy", "uh", "uw")
)
# fmt: on
MARKS = frozenset("ˈˌː'ʲ̩̯̃")
"""Code points that never own frames."""
PAUSES = frozenset(' ,.;:!?-()"')
"""Code points that own frames only where flite pauses."""
SKIPPED_PHONE = 0.9
SKIPPED_UNIT = 0.9
IMPOSSIBLE = 9.0


@dataclass(frozen=True, slots=True)
class Unit:
    """Code points that are aligned as one."""

    indices: tuple[int, ...]
    """Indices of the code points that own frames."""
    pause: bool
    phones: tuple[str, ...] = ()
    """What it may align with, best first."""

    def cost(self, phone: str) -> float:
        """Cost of pairing the unit with a flite phone."""
        if self.pause or phone == "pau":
            return 0.0 if self.pause and phone == "pau" else IMPOSSIBLE
        if phone in self.phones:
            return 0.15 * self.phones.index(phone)
        if not self.phones:
            return 0.8
        vowels = (self.phones[0] in VOWELS) + (phone in VOWELS)
        return (1.0, 1.7, 0.75)[vowels]


class _Step(IntEnum):
    NONE = 0
    PAIR = 1
    SKIP_UNIT = 2
    SKIP_PHONE = 3


@dataclass(frozen=True, slots=True)
class Alignment:
    """The frames of each code point, and how well they fit."""

    frames: NDArray[np.int32]
    """Per code point."""
    cost: float
    """Mean per unit."""


def align(code_points: Sequence[str], phones: Sequence[str], frames: Sequence[int]) -> Alignment | None:
    """Frames per code point, or None if the ends cannot be aligned.

    `code_points` begin with ^ and end with $; `phones` begin and end with pau and last `frames` each.
    """
    inner = [
        Unit(tuple(index + 1 for index in unit.indices), unit.pause, unit.phones) for unit in _units(code_points[1:-1])
    ]
    units = [Unit((0,), pause=True), *inner, Unit((len(code_points) - 1,), pause=True)]
    costs, steps = _fill(units, phones, code_points)
    pairs = _trace(steps)
    if not pairs or pairs[0] != (0, 0) or pairs[-1] != (len(units) - 1, len(phones) - 1):
        return None
    durations = np.zeros(len(code_points), np.int32)
    for unit, total in zip(units, _totals(units, pairs, frames), strict=True):
        if len(unit.indices) == 2:  # a diphthong or an affricate: half each
            durations[unit.indices[0]], durations[unit.indices[1]] = total // 2, total - total // 2
        else:
            durations[unit.indices[0]] = total
    return Alignment(durations, float(costs[-1, -1]) / max(len(units), 1))


def _units(code_points: Sequence[str]) -> list[Unit]:
    units, i = [], 0
    while i < len(code_points):
        here = code_points[i]
        pair = here + (code_points[i + 1] if i + 1 < len(code_points) else "")
        if here in MARKS:
            i += 1
        elif pair in PAIRED:
            units.append(Unit((i, i + 1), pause=False, phones=(PAIRED[pair],)))
            i += 2
        else:
            units.append(Unit((i,), pause=here in PAUSES, phones=tuple(SINGLE.get(here, "").split())))
            i += 1
    return units


def _fill(
    units: Sequence[Unit], phones: Sequence[str], code_points: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Least cost up to every (unit, phone), and the step that led there; on a tie the earlier step wins."""
    costs = np.full((len(units) + 1, len(phones) + 1), 1e9)
    steps = np.zeros(costs.shape, np.int8)
    costs[0, 0] = 0
    for i in range(len(units) + 1):
        for j in range(len(phones) + 1):
            best, step = costs[i, j], _Step.NONE
            if i and j and (cost := costs[i - 1, j - 1] + units[i - 1].cost(phones[j - 1])) < best:
                best, step = cost, _Step.PAIR
            if i and (cost := costs[i - 1, j] + _skip(units, i, code_points)) < best:
                best, step = cost, _Step.SKIP_UNIT
            if j and (cost := costs[i, j - 1] + SKIPPED_PHONE * (2 if phones[j - 1] == "pau" else 1)) < best:
                best, step = cost, _Step.SKIP_PHONE
            costs[i, j], steps[i, j] = best, step
    return costs, steps


def _skip(units: Sequence[Unit], i: int, code_points: Sequence[str]) -> float:
    """Cost of leaving unit i - 1 without a phone: none for a pause mark inside the sentence, little for a comma."""
    unit = units[i - 1]
    if not unit.pause:
        return SKIPPED_UNIT
    cost = 0.0 if 1 < i < len(units) else SKIPPED_UNIT
    return cost + (0.1 if code_points[unit.indices[0]] in ",;:" else 0.0)


def _trace(steps: NDArray[np.int8]) -> list[tuple[int, int]]:
    """(unit, phone) pairs along the best path; empty if there is none."""
    i, j = steps.shape[0] - 1, steps.shape[1] - 1
    pairs: list[tuple[int, int]] = []
    while i or j:
        step = steps[i, j]
        if step == _Step.NONE:
            return []
        if step != _Step.SKIP_PHONE:
            i -= 1
        if step != _Step.SKIP_UNIT:
            j -= 1
        if step == _Step.PAIR:
            pairs.append((i, j))
    return pairs[::-1]


def _totals(units: Sequence[Unit], pairs: Sequence[tuple[int, int]], frames: Sequence[int]) -> NDArray[np.int64]:
    """Frames of each unit. A phone without a unit joins the unit before it, or the next one after a pause."""
    owner = {phone: unit for unit, phone in pairs}
    totals = np.zeros(len(units), np.int64)
    last = 0
    for phone, count in enumerate(frames):
        if phone in owner:
            last = owner[phone]
            totals[last] += count
            continue
        unit = last
        if units[unit].pause:
            unit = next((owner[later] for later in range(phone + 1, len(frames)) if later in owner), unit)
        totals[unit] += count
    return totals
