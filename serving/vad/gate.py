"""Turns voice activity into stretches of speech: hysteresis with minimum durations. Pure: verdicts in, decisions out."""

from dataclasses import dataclass
from typing import ClassVar

from serving.speech import VoiceActivity

ROUNDING_S = 1e-6
"""Tolerance for window times, which are sums of floats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechThresholds:
    """What counts as speech."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    activation_threshold: float = 0.5
    """During silence, a window at or above this probability is speech."""
    deactivation_threshold: float = 0.35
    """During speech, a window below this probability is silence."""
    min_speech_ms: float = 64
    """Uninterrupted speech that opens the gate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOptions(SpeechThresholds):
    """When speech begins and when it is over."""

    min_silence_ms: float = 250
    """Uninterrupted silence that closes the gate."""


@dataclass(frozen=True, slots=True)
class GateOpened:
    """Speech began."""

    at_s: float
    """Start of its first window."""
    decided_at_s: float


@dataclass(frozen=True, slots=True)
class GateClosed:
    """Speech ended."""

    at_s: float
    """End of its last window."""
    decided_at_s: float


class Gate:
    """The hysteresis of one stream. Feed it every verdict in order."""

    def __init__(self, options: GateOptions, *, window_s: float = 0.032) -> None:
        self._options = options
        self._window_s = window_s
        self.is_open = False
        """Whether somebody is speaking."""
        self.opened_at_s = 0.0
        """Start of the current, or the last, stretch of speech."""
        self.speech_end_s = 0.0
        """End of the last window of speech."""
        self.speech_run_s = 0.0
        """Length of uninterrupted speech up to now."""
        self.silence_run_s = 0.0
        """Length of uninterrupted silence up to now."""

    @property
    def is_wavering(self) -> bool:
        """Whether the last windows contradict the present state, but have not lasted long enough to change it."""
        return self.silence_run_s > 0 if self.is_open else self.speech_run_s > 0

    def push(self, activity: VoiceActivity) -> GateOpened | GateClosed | None:
        """The decision that this verdict leads to, if any."""
        threshold = self._options.deactivation_threshold if self.is_open else self._options.activation_threshold
        if activity.probability >= threshold:
            return self._speech(activity.end_s)
        return self._silence(activity.end_s)

    def reset(self) -> None:
        """Close without a decision, and forget any run so far."""
        self.is_open = False
        self.speech_run_s = self.silence_run_s = 0.0

    def _speech(self, end_s: float) -> GateOpened | None:
        self.speech_run_s += self._window_s
        self.silence_run_s = 0.0
        if self.is_open:
            self.speech_end_s = end_s
            return None
        if self.speech_run_s + ROUNDING_S < self._options.min_speech_ms / 1000:
            return None
        self.is_open = True
        self.opened_at_s = max(0.0, end_s - self.speech_run_s)
        self.speech_end_s = end_s
        return GateOpened(self.opened_at_s, end_s)

    def _silence(self, end_s: float) -> GateClosed | None:
        self.silence_run_s += self._window_s
        self.speech_run_s = 0.0
        if not self.is_open or self.silence_run_s + ROUNDING_S < self._options.min_silence_ms / 1000:
            return None
        self.is_open = False
        return GateClosed(self.speech_end_s, end_s)
