"""Decides from voice activity alone when to decode what: utterances, partial decodes, preflights and finals.

Pure: verdicts on windows in, steps out; every time is on the stream's audio clock.

    idle --speech--> speaking --short silence: Settle--> paused --longer silence: Finish--> idle
                        ^---------speech: Reopen------------'
"""

from collections import deque
from dataclasses import dataclass, field, fields

from serving.speech import VoiceActivity
from serving.vad.gate import ROUNDING_S, Gate, GateClosed, GateOpened, GateOptions, SpeechThresholds


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmenterOptions(SpeechThresholds):
    """How speech is cut into utterances. `min_speech_ms` begins an utterance, and reopens one that has paused."""

    preroll_ms: float = 300
    """How much audio before the first window of speech is decoded too: the VAD misses soft onsets."""
    partial_interval_ms: float = 250
    """How often the utterance so far is decoded."""
    preflight_silence_ms: float = 64
    """Silence after which the whole utterance is decoded. The VAD notices silence about 50 ms late, so the default is some
    110 ms into it."""
    final_silence_ms: float = 200
    """Silence after which the utterance is over."""
    max_utterance_s: float = 28.0
    """The longest utterance, pre-roll included: Whisper hears at most 30 s."""
    eager_from_s: float = 20.0
    """From this length on, an utterance ends at its next pause instead of waiting for `final_silence_ms`."""
    cut_search_s: float = 3.0
    """A caller who does not pause before `max_utterance_s` is cut at the quietest moment of this many last seconds."""


@dataclass(frozen=True, slots=True)
class Begin:
    """An utterance begins."""

    at_s: float
    """Where its speech began."""
    clip_start_s: float
    """Where its audio begins, pre-roll included."""


@dataclass(frozen=True, slots=True)
class Partial:
    """Decode the utterance so far."""

    clip_end_s: float


@dataclass(frozen=True, slots=True)
class Settle:
    """The caller has paused: decode the whole utterance; this will be the final unless they go on."""

    clip_end_s: float
    speech_end_s: float


@dataclass(frozen=True, slots=True)
class Reopen:
    """The caller goes on: the last Settle is not the final."""

    at_s: float


@dataclass(frozen=True, slots=True)
class Finish:
    """The utterance is over. Its words are those of the last Settle, which there always is."""

    at_s: float


Step = Begin | Partial | Settle | Reopen | Finish


@dataclass(slots=True)
class _Utterance:
    clip_start_s: float
    partial_at_s: float
    """Where the last partial decode ended."""
    levels: deque[tuple[float, float]] = field(default_factory=deque)
    """(end_s, level) of the last `cut_search_s`."""


class Segmenter:
    """One call's utterances."""

    def __init__(self, options: SegmenterOptions, *, window_s: float = 0.032) -> None:
        self._options = options
        self.window_s = window_s
        """Length of a VAD window."""
        thresholds = {each.name: getattr(options, each.name) for each in fields(SpeechThresholds)}
        gate = GateOptions(**thresholds, min_silence_ms=options.preflight_silence_ms)
        self._gate = Gate(gate, window_s=window_s)
        self._utterance: _Utterance | None = None
        self._taken_s = 0.0
        """Audio before this belongs to an utterance that is over."""

    def keep_from_s(self, now_s: float) -> float:
        """Audio before this is no longer needed."""
        if self._utterance is not None:
            return self._utterance.clip_start_s
        reach_s = (self._options.preroll_ms + self._options.min_speech_ms) / 1000 + self.window_s
        return max(self._taken_s, now_s - reach_s)

    def push(self, activity: VoiceActivity, level: float) -> list[Step]:
        """The steps that follow from a window. `level` is its loudness in any unit; only comparisons matter."""
        decision = self._gate.push(activity)
        now_s = activity.end_s
        if self._utterance is None:
            return [self._begin(decision.at_s, now_s)] if isinstance(decision, GateOpened) else []
        self._remember(self._utterance, now_s, level)
        if isinstance(decision, GateOpened):
            return [Reopen(decision.at_s), *self._speaking(self._utterance, now_s)]
        if isinstance(decision, GateClosed):
            return self._pause(self._utterance, now_s)
        if self._gate.is_open:
            return self._speaking(self._utterance, now_s)
        return self._paused(now_s)

    def flush(self, now_s: float) -> list[Step]:
        """End the open utterance, if there is one, with all audio up to `now_s`."""
        if self._utterance is None:
            return []
        settle = [Settle(now_s, self._gate.speech_end_s)] if self._gate.is_open else []
        self._gate.reset()
        return [*settle, self._finish(now_s if settle else self._taken_s)]

    def _begin(self, at_s: float, now_s: float) -> Begin:
        start_s = max(self._taken_s, at_s - self._options.preroll_ms / 1000, 0.0)
        self._utterance = _Utterance(start_s, partial_at_s=now_s)
        return Begin(at_s, start_s)

    def _speaking(self, utterance: _Utterance, now_s: float) -> list[Step]:
        if now_s - utterance.clip_start_s + self.window_s > self._options.max_utterance_s:
            return self._cut(utterance, now_s)
        if self._gate.is_wavering:  # this may be the start of a pause, whose decode must not wait behind a partial one
            return []
        if now_s - utterance.partial_at_s + ROUNDING_S < self._options.partial_interval_ms / 1000:
            return []
        utterance.partial_at_s = now_s
        return [Partial(now_s)]

    def _pause(self, utterance: _Utterance, now_s: float) -> list[Step]:
        self._taken_s = now_s
        settle = Settle(now_s, self._gate.speech_end_s)
        long_enough = now_s - utterance.clip_start_s >= self._options.eager_from_s
        return [settle, self._finish(now_s)] if long_enough else [settle, *self._paused(now_s)]

    def _paused(self, now_s: float) -> list[Step]:
        silence_s = now_s - self._gate.speech_end_s
        if self._gate.is_wavering or silence_s + ROUNDING_S < self._options.final_silence_ms / 1000:
            return []
        return [self._finish(self._taken_s)]

    def _cut(self, utterance: _Utterance, now_s: float) -> list[Step]:
        """Cut off a caller who does not pause, and begin the next utterance at the cut."""
        end_s = min(utterance.levels, key=lambda item: item[1])[0] - self.window_s / 2
        return [Settle(end_s, end_s), self._finish(end_s), self._begin(end_s, now_s)]

    def _finish(self, taken_s: float) -> Finish:
        self._utterance = None
        self._taken_s = taken_s
        return Finish(taken_s)

    def _remember(self, utterance: _Utterance, end_s: float, level: float) -> None:
        utterance.levels.append((end_s, level))
        while utterance.levels[0][0] < end_s - self._options.cut_search_s:
            utterance.levels.popleft()
