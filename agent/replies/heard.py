"""How much of a reply the caller heard, from word times and the stretches of audio that left the worker.

Nothing is subtracted for network delay. Sound that has left cannot be recalled: whatever the network and the jitter buffers
hold when a reply is stopped still plays afterwards, whether that is 50 ms on a cable or 300 ms by telephone. So the caller
hears everything that had left the worker's queue, and a little more: STILL_HEARD_S.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from serving.speech import Word

HEARD_SHARE = 0.5
"""A word counts as heard once this share of it has played; half a word is usually understood."""
STILL_HEARD_S = 0.015
"""How much is heard beyond the sample at which a reply was stopped: the packet being filled, and what the caller's jitter
buffer makes of the last one. Measured in a room from the caller's recording: -1 ms at the median, 7 ms at the 95th
percentile, 19 ms once (scripts/bench/heard). The value is above the usual on purpose: one word too many in the history is
better than losing one that was heard."""
ROUNDING_S = 1e-6
"""A stretch no longer than this is floating-point rounding."""


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of a reply's audio that left without a gap, in seconds from the reply's first sample."""

    start_s: float
    end_s: float


def heard_words(words: Iterable[Word], runs: Sequence[Run]) -> list[Word]:
    """The words that count as heard, in order: HEARD_SHARE of the word lies in a stretch that left, or just after it."""
    left = [run for run in runs if run.end_s - run.start_s > ROUNDING_S]
    return [word for word in words if any(run.start_s <= _decided_s(word) <= run.end_s + STILL_HEARD_S for run in left)]


def heard_until(words: Iterable[Word], position_s: float) -> list[Word]:
    """The words that count as heard once everything up to `position_s` has played."""
    return [word for word in words if _decided_s(word) <= position_s]


def resume_at(words: Iterable[Word], reached_s: float) -> float:
    """Where a reply paused at `reached_s` resumes: at the start of the word that was cut off, if one was."""
    heard_s = reached_s + STILL_HEARD_S
    return next((word.start_s for word in words if word.start_s < reached_s and heard_s < word.end_s), reached_s)


def _decided_s(word: Word) -> float:
    return word.start_s + HEARD_SHARE * (word.end_s - word.start_s)
