"""What words spoken over the agent's voice mean: a wish to speak, or only that somebody is listening."""

import re
from enum import Enum

MURMURS = frozenset(
    {
        *("mm", "hmm", "hm", "mhm", "mmhmm", "uh", "huh", "ah", "oh", "um", "er"),
        *("yeah", "yep", "right", "okay", "ok", "alright", "sure", "really", "great", "good"),
    }
)
"""Words that a listener says without wanting the floor."""
MURMURED_PHRASES = ("i see", "got it", "go on", "of course", "thank you", "thanks")
STOP_WORDS = frozenset({"wait", "stop", "hold", "hang", "no", "sorry", "excuse", "pardon", "hello", "actually", "but"})
"""One of these is enough, however little else is known yet."""
ENOUGH_WORDS = 2
"""So many words that are no murmurs are a wish to speak even before the utterance is over."""
_PHRASES = re.compile(rf"(?<!\S)(?:{'|'.join(MURMURED_PHRASES)})(?!\S)")


class Overlap(Enum):
    """What to do about words over the agent's voice."""

    UNDECIDED = "undecided"
    """Wait for more of them."""
    BACKCHANNEL = "backchannel"
    """Nothing: the agent goes on, and the words are forgotten."""
    BARGE_IN = "barge_in"
    """The agent stops at once and listens."""


def judge_overlap(text: str, *, is_final: bool) -> Overlap:
    """Judge the words so far of an utterance that began while the agent was speaking. Any case, any punctuation."""
    plain = "".join(char if char.isalnum() or char == "'" else " " for char in text.casefold())
    plain = _PHRASES.sub(" ", " ".join(plain.split()))
    words = [word for word in plain.split() if word not in MURMURS]
    if any(word in STOP_WORDS for word in words) or len(words) >= ENOUGH_WORDS or (words and is_final):
        return Overlap.BARGE_IN
    return Overlap.BACKCHANNEL if is_final else Overlap.UNDECIDED
