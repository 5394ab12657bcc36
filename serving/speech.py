"""What engines and calls tell each other about speech: activity, words, transcripts, ends of turns, spoken audio.

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
    """Without surrounding whitespace."""
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
    """Empty in a final: speech was detected, but it was unintelligible."""
    start_s: float
    """Where the utterance began."""
    end_s: float
    """Where its last speech ended."""
    words: tuple[Word, ...] = ()
    confidence: float = 1.0
    """Mean word probability, 0 to 1."""
    agreed_words: int = 0
    """How many words, from the first, will not change any more."""
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


class Asked(Enum):
    """What the agent's last words asked the caller for. Some answers come in pieces, with pauses between them.

    The end-of-turn network knows them by their order (serving/turn/inputs.py).
    """

    NOTHING = "nothing"
    """The agent asked nothing, or nothing in particular ("how can I help?")."""
    CONFIRMATION = "confirmation"
    """Yes or no."""
    CHOICE = "choice"
    """One of those it named: a slot, a doctor."""
    NAME = "name"
    DATE = "date"
    """A day, a time, a date of birth."""
    DIGITS = "digits"
    """A telephone or member number."""
    DESCRIPTION = "description"
    """What is wrong, why they call."""


@dataclass(frozen=True, slots=True)
class TurnContext:
    """What else is known, besides the sound, when the end of a turn is judged."""

    words: str = ""
    """The caller's words of this turn so far, the newest hypothesis included; empty if there are none. UNINTELLIGIBLE
    (serving/turn/words.py) stands for speech that was not understood."""
    asked: Asked = Asked.NOTHING
    silence_s: float = 0.2
    """Since the caller's last sound, on the audio clock."""
    pauses_s: tuple[float, ...] = ()
    """Pauses that this caller has made within turns, oldest first: silences after which they went on speaking."""


@dataclass(frozen=True, slots=True)
class EndOfTurn:
    """How likely it is that the caller has finished."""

    probability: float
    inference_s: float
    """Wall-clock time from the question to the answer."""


@dataclass(frozen=True, slots=True)
class Interruption:
    """What a sound over the agent's voice is, as far as can be told yet. The three probabilities add up to 1."""

    interruption: float
    """The caller wants the floor."""
    backchannel: float
    """They only signal that they are listening: "mm-hmm"."""
    other: float
    """A cough, noise, somebody else talking, the agent's own echo."""
    inference_s: float
    """Wall-clock time from the question to the answer."""


@dataclass(frozen=True, slots=True)
class SpokenAudio:
    """A stretch of synthesized speech and the words that begin in it."""

    audio: AudioChunk
    words: tuple[Word, ...] = field(default=())
    """Times count from the first sample that the stream produced."""
