"""Tells words from what Whisper hallucinates when nobody says any. Pure."""

import re
import zlib
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardOptions:
    """When a decode is rejected: nobody said those words."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    no_speech_threshold: float = 0.6
    """Whisper's own probability that there is no speech (the no-speech token right after the prompt)."""
    no_speech_logprob: float = -0.5
    """A decode with at least this mean log probability per token is kept, whatever the no-speech token says."""
    min_avg_logprob: float = -1.0
    """Below this mean log probability per token, words are guesses. openai/whisper uses -1."""
    max_compression_ratio: float = 2.4
    """Length of the text over its zlib length; Whisper's loops compress well. openai/whisper uses 2.4."""
    max_repeats: int = 5
    """How often in a row the same two to eight words may be said."""
    max_word_repeats: int = 10
    """How often in a row a single word may be said: the digits of a number do repeat."""
    max_words_per_s: float = 8.0
    """Nobody speaks faster; a loop on a short noise does. Three words are allowed on top."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What the guards look at."""

    text: str
    speech_s: float
    """Length of the audio."""
    no_speech_prob: float
    avg_logprob: float


def refusal(decoded: Decoded, options: GuardOptions) -> str | None:
    """Why the decode is rejected; None if it is not."""
    words = decoded.text.split()
    if not words:
        return "empty"
    if decoded.no_speech_prob > options.no_speech_threshold and decoded.avg_logprob < options.no_speech_logprob:
        return "no speech"
    if decoded.avg_logprob < options.min_avg_logprob:
        return "unsure"
    if len(words) > options.max_words_per_s * decoded.speech_s + 3:
        return "too fast"
    if compression_ratio(decoded.text) > options.max_compression_ratio or is_loop(words, options):
        return "loop"
    return None


def compression_ratio(text: str) -> float:
    """Bytes of the text over bytes of its zlib form; a text that repeats itself has more than about 2.4."""
    raw = text.encode()
    return len(raw) / len(zlib.compress(raw))


def is_loop(words: list[str], options: GuardOptions) -> bool:
    """Whether some words are repeated more often than anybody would say them."""
    plain = [re.sub(r"\W", "", word).casefold() for word in words]
    return _runs(plain, 1) > options.max_word_repeats or any(_runs(plain, n) > options.max_repeats for n in range(2, 9))


def _runs(words: list[str], n: int) -> int:
    """How often, at most, any n words are repeated in a row."""
    best = same = 0
    for index in range(n, len(words)):
        same = same + 1 if words[index] == words[index - n] else 0
        best = max(best, same)
    return 1 + best // n
