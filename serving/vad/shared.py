"""One call's voice activity, computed once for everything that listens to the caller."""

import weakref
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

from serving.audio import SPEECH_RATE, Pcm32
from serving.engine import VadEngine, VadStream
from serving.errors import EngineError
from serving.speech import VoiceActivity

KEPT_S = 35.0
"""How long verdicts are kept: longer than the audio that a new STT stream replays after the last one failed."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A piece of the call's audio, and the verdicts on the windows that end in it."""

    samples: "weakref.ref[Pcm32]"
    start_samples: int
    """Where the piece starts on the call's clock."""
    activity: tuple[VoiceActivity, ...]
    """On the call's clock."""


class SharedVad:
    """One call's voice activity: its streams share one run of the model. Belongs to the call's event loop.

    Streams share verdicts by pushing the same arrays, not equal ones. The first to push an array has it judged; the others
    get the same verdicts. Verdicts live as long as their audio, so a stream opened later can replay audio that somebody
    has kept. Audio that only one stream pushes is judged for that stream alone.
    """

    def __init__(self, engine: VadEngine) -> None:
        self._engine = engine
        self._stream: VadStream | None = None
        self._opened_at_samples = 0
        self._end_samples = 0
        self._log: deque[Judged] = deque()
        self._dropped = 0
        """How many pieces have left the log."""

    @property
    def name(self) -> str:
        """The engine's name."""
        return self._engine.name

    @property
    def window_samples(self) -> int:
        """Samples that one verdict covers, at 16 kHz."""
        return self._engine.window_samples

    @property
    def end(self) -> int:
        """The number of the next piece."""
        return self._dropped + len(self._log)

    @property
    def kept(self) -> int:
        """How many pieces still have their verdicts."""
        return len(self._log)

    def open(self) -> VadStream:
        """A stream whose clock starts at 0. Its first window may have begun before that."""
        return _SharedVadStream(self)

    def open_alone(self) -> VadStream:
        """A stream that shares nothing. Raises EngineDied unless the engine is loaded."""
        return self._engine.open()

    def find(self, samples: Pcm32, *, since: int) -> int | None:
        """The number of the first piece from `since` on that is this array; None if there is none."""
        numbers = range(max(since, self._dropped), self.end)
        return next((number for number in numbers if self[number].samples() is samples), None)

    def __getitem__(self, number: int) -> Judged:
        return self._log[number - self._dropped]

    def judge(self, samples: Pcm32) -> int:
        """Judge the call's next piece of audio; returns its number. Raises EngineError, and starts afresh with the next piece."""
        if self._stream is None:
            self._stream, self._opened_at_samples = self._engine.open(), self._end_samples
        try:
            activity = self._stream.push(samples)
        except EngineError:
            self._stream = None
            raise
        self._log.append(
            Judged(weakref.ref(samples), self._end_samples, _shifted(activity, samples=self._opened_at_samples))
        )
        self._end_samples += len(samples)
        self._forget()
        return self.end - 1

    def _forget(self) -> None:
        oldest_samples = self._end_samples - KEPT_S * SPEECH_RATE
        while len(self._log) > 1 and (self._log[0].samples() is None or self._log[0].start_samples < oldest_samples):
            self._log.popleft()
            self._dropped += 1


class _SharedVadStream:
    """A VadStream over a SharedVad."""

    def __init__(self, shared: SharedVad) -> None:
        self._shared = shared
        self._pushed_samples = 0
        self._next: int | None = None
        """The number of the piece expected next; None before the first."""
        self._alone: VadStream | None = None
        """Judges audio that only this stream is pushed: LiveKit feeds the STT silence while the agent must not be interrupted."""
        self._alone_from_samples = 0

    def push(self, samples: Pcm32) -> list[VoiceActivity]:
        """Feed audio; returns a verdict for each window that it completed. Raises EngineError."""
        number = self._shared.find(samples, since=self._next or 0)
        if number is None and self._alone is None and self._next in (None, self._shared.end):
            number = self._shared.judge(samples)
        start_samples = self._pushed_samples
        self._pushed_samples += len(samples)
        if number is None:
            return self._push_alone(samples, start_samples)
        self._next, self._alone = number + 1, None
        judged = self._shared[number]
        return list(_shifted(judged.activity, samples=start_samples - judged.start_samples))

    def _push_alone(self, samples: Pcm32, start_samples: int) -> list[VoiceActivity]:
        if self._alone is None:
            self._alone, self._alone_from_samples = self._shared.open_alone(), start_samples
        return list(_shifted(self._alone.push(samples), samples=self._alone_from_samples))


def _shifted(activity: Iterable[VoiceActivity], *, samples: int) -> tuple[VoiceActivity, ...]:
    """The same verdicts, `samples` later."""
    shift_s = samples / SPEECH_RATE
    return tuple(replace(verdict, end_s=verdict.end_s + shift_s) if samples else verdict for verdict in activity)
