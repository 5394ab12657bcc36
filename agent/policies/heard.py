"""What of a reply the caller has heard, from word times and the stretches of audio that were played."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from serving.speech import Word

HEARD_SHARE = 0.5
"""A word counts as heard once this share of it was played: half a word is usually understood."""
ROUNDING_S = 1e-6
"""A stretch that is no longer than this is the difference of two sums of floats."""


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of a reply's audio that was played without a gap, in seconds from the reply's first sample."""

    start_s: float
    end_s: float


def heard_words(words: Iterable[Word], runs: Sequence[Run]) -> list[Word]:
    """The words whose deciding moment lies in a stretch that was played, in order."""
    played = [run for run in runs if run.end_s - run.start_s > ROUNDING_S]
    return [word for word in words if any(run.start_s <= _decided_s(word) <= run.end_s for run in played)]


def heard_until(words: Iterable[Word], position_s: float) -> list[Word]:
    """The words heard when everything up to `position_s` was played."""
    return [word for word in words if _decided_s(word) <= position_s]


def _decided_s(word: Word) -> float:
    return word.start_s + HEARD_SHARE * (word.end_s - word.start_s)
