"""Figures of a planned call: words remembered and words heard, reply by reply, and delays. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import soxr

from agent.replies.heard import HEARD_SHARE, Run
from scripts.bench.heard.alignment import SILENT, runs_heard
from scripts.bench.heard.cuts import Kind
from scripts.bench.heard.ledger import Entry
from scripts.caller.clock import RATE
from serving.audio import Pcm16
from serving.speech import Word

ROOM_RATE = 24_000
"""Sample rate of the agent's voice in Hz, in the demo profile."""
EARLY_S = 0.2
"""How long before the agent says that a reply has begun it is searched for."""
MAX_WAY_S = 0.8
"""Longest delay from the worker to the ear that is searched."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One reply as found in the caller's recording."""

    kind: Kind
    is_cut: bool
    remembered: tuple[str, ...]
    """Words in the chat history."""
    heard: tuple[str, ...]
    """Words of which at least half is in the recording."""
    way_s: float | None
    """From sending the first sample to hearing it; None if nothing was heard."""
    after_stop_s: float | None
    """How long sound went on after the cut; None if the reply was not cut, or silent at that moment."""
    beyond_s: float | None
    """How much more was heard than the worker counts as played; None in the same cases."""

    @property
    def error(self) -> int:
        """Words remembered minus words heard; if neither is the start of the other, minus the number that differ."""
        shared = next(
            (at for at, (own, real) in enumerate(zip(self.remembered, self.heard, strict=False)) if own != real),
            min(len(self.remembered), len(self.heard)),
        )
        if shared == min(len(self.remembered), len(self.heard)):
            return len(self.remembered) - len(self.heard)
        return -max(len(self.remembered), len(self.heard)) + shared


def judge(entry: Entry, recording: Pcm16, origin_s: float, until_s: float) -> Judged:
    """Compare one reply with `recording` (at RATE), which starts at `origin_s`; from `until_s` on it holds the next reply.

    Both times are time.time().
    """
    reply = entry.reply
    from_s = reply.started_at - EARLY_S
    low, high = (round((at_s - origin_s) * RATE) for at_s in (from_s, until_s))
    said = soxr.resample(reply.samples.astype(np.float32), ROOM_RATE, RATE)
    is_paused = len(reply.runs) > 1 and entry.cut.pause_s > 0
    found = runs_heard(
        said,
        recording[max(0, low) : high],
        RATE,
        first_lag_s=EARLY_S + MAX_WAY_S,
        pauses_s=[entry.cut.pause_s] if is_paused else [],
    )
    runs = [one.run for one in found]
    heard = tuple(word.text for word in reply.words if _is_heard(word, runs))
    end = found[-1] if found and reply.is_interrupted and not _is_silent(said, reply.runs) else None
    return Judged(
        kind=entry.cut.kind,
        is_cut=reply.is_interrupted,
        remembered=tuple(entry.remembered.split()),
        heard=heard,
        way_s=found[0].lag_s - EARLY_S if found else None,
        after_stop_s=None if end is None else from_s + end.run.end_s + end.end_lag_s - reply.cleared_at,
        beyond_s=None if end is None else end.run.end_s - _played_s(reply.runs),
    )


def judge_call(entries: Sequence[Entry], recording: Pcm16, origin_s: float) -> list[Judged]:
    """Judge every reply of a call."""
    ends_s = [entry.reply.started_at for entry in entries[1:]] + [origin_s + len(recording) / RATE]
    return [judge(entry, recording, origin_s, end_s) for entry, end_s in zip(entries, ends_s, strict=True)]


def histogram(judged: Sequence[Judged]) -> dict[int, int]:
    """Number of replies by error, smallest error first."""
    return dict(sorted(Counter(one.error for one in judged).items()))


def _is_heard(word: Word, runs: Sequence[Run]) -> bool:
    """Whether at least half of a word was heard: its sound from start to middle."""
    middle_s = word.start_s + HEARD_SHARE * (word.end_s - word.start_s)
    return any(run.start_s <= middle_s <= run.end_s for run in runs)


def _played_s(runs: Sequence[Run]) -> float:
    return max((run.end_s for run in runs), default=0.0)


def _is_silent(said: np.ndarray, runs: Sequence[Run]) -> bool:
    """Whether a reply is silent where it was cut, so that its end cannot be found."""
    end = round(_played_s(runs) * RATE)
    around = np.asarray(said[max(0, end - RATE // 50) : end + RATE // 50], np.float64)
    halves = np.array_split(around, 2)
    return any(len(half) == 0 or float(np.sqrt(np.mean(half**2))) < 4 * SILENT for half in halves)
