"""What streaming recognition asks of a model: clips in, words out, off the event loop."""

from collections.abc import Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from serving.audio import Pcm32
from serving.speech import Word


class Urgency(IntEnum):
    """Who is decoded first; lower is sooner."""

    SETTLE = 0
    """The caller has paused: an answer waits for these words."""
    PARTIAL = 1
    """The caller is speaking."""


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """The audio of an utterance so far."""

    samples: Pcm32
    """Shape (n,), 16 kHz."""
    start_s: float
    """Where the first sample lies on the stream's clock."""
    speech_start_s: float
    """Where its speech began; no word begins earlier."""
    speech_end_s: float
    """Where its last speech ended; no word ends later."""
    is_whole: bool = False
    """Whether the caller has paused, so that the last word is complete."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The words in a clip."""

    words: tuple[Word, ...]
    """Times are on the stream's clock. Empty if the clip is unintelligible."""


class Recognizer(Protocol):
    """Decodes clips of many streams."""

    def submit(self, clip: Clip, urgency: Urgency, slot: Hashable | None) -> "Future[Heard]":
        """Queue a clip; it replaces one still waiting in the same slot. Cancelling the future removes it from the queue."""
        ...
