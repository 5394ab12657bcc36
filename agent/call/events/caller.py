"""Events about the caller: voice, words, silence."""

from dataclasses import dataclass

from agent.call.spoken import Spoken
from serving.speech import TranscriptStage


@dataclass(frozen=True, slots=True)
class CallerStartedSpeaking:
    """The VAD hears speech."""


@dataclass(frozen=True, slots=True)
class CallerStoppedSpeaking:
    """The VAD hears silence."""


@dataclass(frozen=True, slots=True)
class CallerTranscript:
    """What the caller has said in this utterance so far."""

    stage: TranscriptStage
    said: Spoken
    settled_words: int = 0
    """How many of its first words are final."""


@dataclass(frozen=True, slots=True)
class CallerUnintelligible:
    """An utterance without a recognisable word is over."""

    speech_s: float


@dataclass(frozen=True, slots=True)
class Silence:
    """Neither side has made a sound for `duration_s`."""

    duration_s: float


@dataclass(frozen=True, slots=True)
class CallerMessage:
    """What enters the history as the caller's message: a whole turn, spoken or typed."""

    said: Spoken
