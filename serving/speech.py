"""What the engines say to each other about speech: activity, words, transcripts, ends of turns, spoken audio.

All times are seconds of audio since the stream they came from was opened (the audio clock, never the wall clock).
"""

from dataclasses import dataclass, field
from enum import Enum

from serving.audio import AudioChunk


@dataclass(frozen=True, slots=True)
class VoiceActivity:
    """The verdict on one VAD window."""

    probability: float
    """That the window holds speech, 0 to 1."""
    end_s: float
    """Where the window ends."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word with its place in the audio."""

    text: str
    """Without surrounding white space."""
    start_s: float
    end_s: float
    probability: float = 1.0


class TranscriptStage(Enum):
    """How settled a transcript is."""

    INTERIM = "interim"
    """The caller is still speaking; agreed words will not change, the tail may."""
    PREFLIGHT = "preflight"
    """The caller has just paused; if they stay silent the final has these same words."""
    FINAL = "final"
    """The utterance is over."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """The words of one utterance so far."""

    stage: TranscriptStage
    text: str
    """Empty in a final means: speech was detected, but no words could be made out."""
    start_s: float
    """Where the utterance began."""
    end_s: float
    """Where its last speech ended."""
    words: tuple[Word, ...] = ()
    confidence: float = 1.0
    """Mean word probability, 0 to 1."""
    agreed_words: int = 0
    """How many leading words are settled."""
    decode_s: float = 0.0
    """Wall-clock time from the request for this decode to its result."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller began to speak."""

    at_s: float


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The utterance whose final was just sent is over."""

    at_s: float


SttEvent = SpeechStarted | Transcript | SpeechEnded


@dataclass(frozen=True, slots=True)
class EndOfTurn:
    """How likely it is that the caller has finished."""

    probability: float
    threshold: float
    """At or above it the turn counts as finished."""
    inference_s: float
    """Wall-clock time the model took."""

    @property
    def is_finished(self) -> bool:
        """Whether the turn counts as finished."""
        return self.probability >= self.threshold


@dataclass(frozen=True, slots=True)
class SpokenAudio:
    """A stretch of synthesized speech and the words that begin in it."""

    audio: AudioChunk
    words: tuple[Word, ...] = field(default=())
    """Times count from the first sample the stream produced."""
