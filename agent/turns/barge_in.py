"""Whether sound and words over the agent's voice are a barge-in or a backchannel. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import fmean
from typing import ClassVar

from serving.speech import Interruption, Word

MURMURS = frozenset(
    {
        *("mm", "hmm", "hm", "mhm", "mmhmm", "uh", "huh", "ah", "oh", "um", "er"),
        *("yeah", "yep", "right", "okay", "ok", "alright", "sure", "really", "great", "good"),
    }
)
"""Backchannels: words that a listener says without wanting the floor."""
MURMURED_PHRASES = ("i see", "got it", "go on", "go ahead", "of course", "thank you", "thanks")
STOP_WORDS = frozenset(
    {"wait", "stop", "hold", "hang", "no", "sorry", "excuse", "pardon", "hello", "actually", "but", "nope"}
)
"""One of these is enough to stop the agent, whatever else is known."""
ENOUGH_WORDS = 2
"""This many different words other than murmurs are a barge-in, even before the utterance is over."""
_PHRASES = re.compile(rf"(?<!\S)(?:{'|'.join(MURMURED_PHRASES)})(?!\S)")

Window = tuple[float, Interruption | None]
"""A moment of an overlap: seconds since the caller's sound began, and the engine's judgement; None where there is none."""


class Overlap(Enum):
    """What to do about sound or words over the agent's voice."""

    UNDECIDED = "undecided"
    """Not enough is known yet."""
    BACKCHANNEL = "backchannel"
    """The agent goes on, and the words are dropped."""
    BARGE_IN = "barge_in"
    """The agent stops at once and listens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlapOptions:
    """When sound over the agent's voice stops it. Probabilities are the interruption engine's, that the caller wants the floor."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    sure: float = 0.75
    """A single window at or above this stops the agent."""
    likely: float = 0.6
    """So do `likely_windows` in a row at or above this, or one window together with a recognised word that is not a murmur."""
    likely_windows: int = 3
    sure_word: float = 0.0
    """A recognised word overrules the sound, as a stop word or together with another word, if the recogniser gives it at least
    this probability. Recognisers turn murmurs into words ("mm hmm" into "luke hugo") but are unsure of them. How sure they are
    of real words differs between recognisers."""
    doubtful: float = 0.25
    """If the windows average less than this, words that the recogniser doubts, or a lone word that is not a stop word, do not
    stop the agent even when they are final."""
    unlikely: float = 0.3
    """After `likely_windows` in a row below this the sound counts as not meant for the agent, for now."""
    longest_judged_s: float = 1.6
    """The engine judges only the first seconds of a sound; after that only words stop the agent."""
    longest_murmur_s: float = 1.4
    """While all recognised words are murmurs, sound stops the agent only after lasting longer than this."""


DEFAULT_OPTIONS = OverlapOptions()


def judge_overlap(text: str, *, is_final: bool) -> Overlap:
    """Judge the words so far of an utterance that began while the agent was speaking. Any case, any punctuation."""
    words = _meaningful(text)
    if any(word in STOP_WORDS for word in words) or len(set(words)) >= ENOUGH_WORDS or (words and is_final):
        return Overlap.BARGE_IN
    return Overlap.BACKCHANNEL if is_final else Overlap.UNDECIDED


def sure_of(words: Sequence[Word], min_probability: float) -> str:
    """The words with at least this probability."""
    return " ".join(word.text for word in words if word.probability >= min_probability)


def decide_overlap(
    windows: Sequence[Window],
    words: str = "",
    *,
    sure: str | None = None,
    words_are_final: bool = False,
    options: OverlapOptions = DEFAULT_OPTIONS,
) -> Overlap:
    """Decide by the windows of an overlap so far, oldest first, its words so far, and those of them that are sure (None: all).

    Sure words overrule the sound either way. The exception is a lone word that is not a stop word: like words that are not
    sure, it counts only once it is final, and only if the sound as a whole does not contradict it.

    With the same words, further windows never revoke a BARGE_IN, unless the words are final and either lone or unsure. A
    BACKCHANNEL holds until the next window.
    """
    if judge_overlap(words if sure is None else sure, is_final=False) is Overlap.BARGE_IN:
        return Overlap.BARGE_IN
    heard = [(overlap_s, sound.interruption) for overlap_s, sound in windows if sound is not None]
    has_meaning = bool(_meaningful(words))
    if words.strip() and not has_meaning:
        if words_are_final:
            return Overlap.BACKCHANNEL
        heard = [window for window in heard if window[0] > options.longest_murmur_s]
    wishes = [probability for _, probability in heard]
    if _wants_the_floor(wishes, options, beside_a_word=has_meaning):
        return Overlap.BARGE_IN
    if has_meaning and words_are_final and wishes:
        return Overlap.BACKCHANNEL if fmean(wishes) < options.doubtful else Overlap.BARGE_IN
    last = wishes[-options.likely_windows :]
    if len(last) == options.likely_windows and max(last) < options.unlikely:
        return Overlap.BACKCHANNEL
    return judge_overlap(words, is_final=True) if words_are_final else Overlap.UNDECIDED


def has_lasted_unjudged(windows: Sequence[Window], max_s: float) -> bool:
    """Whether sound has gone on for `max_s` without a judgement, so that its length alone has to decide."""
    judged_until_s = max((overlap_s for overlap_s, sound in windows if sound is not None), default=0.0)
    return bool(windows) and windows[-1][0] - judged_until_s >= max_s


def _wants_the_floor(wishes: Sequence[float], options: OverlapOptions, *, beside_a_word: bool) -> bool:
    needed = 1 if beside_a_word else options.likely_windows
    in_a_row = 0
    for probability in wishes:
        in_a_row = in_a_row + 1 if probability >= options.likely else 0
        if probability >= options.sure or in_a_row >= needed:
            return True
    return False


def _meaningful(text: str) -> list[str]:
    """The words other than murmurs, in lower case."""
    plain = "".join(char if char.isalnum() or char == "'" else " " for char in text.casefold())
    plain = _PHRASES.sub(" ", " ".join(plain.split()))
    return [word for word in plain.split() if word not in MURMURS]
