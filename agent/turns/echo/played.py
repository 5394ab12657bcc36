"""What of the agent's voice is being played at any moment: replies on the way to a caller, laid out on the clock. Pure."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from serving.audio import SPEECH_RATE, Pcm32
from serving.speech import Word

GRID_SAMPLES = SPEECH_RATE // 20
"""LiveKit's room output hands sound on in 50 ms frames."""
QUEUE_SAMPLES = SPEECH_RATE // 5
"""So much is queued for playing; a pause discards it."""
KEEP_S = 5.0
"""A reply that was played is remembered for so long."""


@dataclass(slots=True)
class _Run:
    """A stretch that is played without a gap."""

    at_s: float
    """Clock time of its first sample."""
    offset: int
    """Samples of its reply before it."""
    end: int | None = None
    """Samples of its reply up to its end; None while it goes on."""


@dataclass(slots=True)
class _Reply:
    sound: list[Pcm32] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    length: int = 0
    runs: list[_Run] = field(default_factory=list)
    paused: bool = False
    over_at_s: float | None = None

    def add(self, run: _Run, block: Pcm32, at_s: float) -> None:
        """Add what of the run sounds from `at_s` on to the block."""
        first = run.offset + round((at_s - run.at_s) * SPEECH_RATE)
        end = min(self.length, first + len(block)) if run.end is None else min(run.end, first + len(block))
        start = max(first, run.offset)
        if start < end:
            block[start - first : end - first] += self._cut(start, end)

    def spoken(self) -> list[Word]:
        """The words that have begun to be played, or are about to be, with clock times."""
        return [
            Word(word.text, word.start_s + shift_s, word.end_s + shift_s)
            for run in self.runs
            for shift_s in (run.at_s - run.offset / SPEECH_RATE,)
            for word in self.words
            if run.offset <= word.start_s * SPEECH_RATE < (self.length if run.end is None else run.end)
        ]

    def _cut(self, start: int, end: int) -> Pcm32:
        if len(self.sound) > 1:
            self.sound = [np.concatenate(self.sound)]
        piece = self.sound[0][start:end]
        return np.pad(piece, (0, end - start - len(piece)))


class PlayedSound:
    """One line's loudspeaker as far as the worker knows it. Tell it what the room output is given and tells; all times are
    wall-clock seconds."""

    def __init__(self) -> None:
        self._replies: deque[_Reply] = deque()
        self._capturing = False
        self._last_at_s = -np.inf

    def captured(self, sound: Pcm32, words: Iterable[Word] = ()) -> None:
        """More of the newest reply (float32 at SPEECH_RATE) is on its way; times of words count from its beginning."""
        if not self._capturing:
            self._capturing = True
            self._replies.append(_Reply())
        reply = self._replies[-1]
        reply.sound.append(sound)
        reply.length += len(sound)
        reply.words.extend(words)

    def complete(self) -> None:
        """The newest reply has no more sound."""
        self._capturing = False

    def started(self, at_s: float) -> None:
        """The first sample of the oldest waiting reply is played."""
        reply = self._current
        if reply is not None:
            reply.runs.append(_Run(at_s, 0))

    def paused(self) -> None:
        """The output was told to pause: it will, when its next frame is due."""
        if self._current is not None:
            self._current.paused = True

    def progressed(self, offset_s: float, duration_s: float, now_s: float) -> None:
        """The room output has reported a run that has ended."""
        reply = self._current
        if reply is None or not reply.runs:
            return
        end = round((offset_s + duration_s) * SPEECH_RATE)
        reply.runs[-1].end = end
        if not reply.paused:
            reply.runs.append(_Run(now_s, end))  # it had run dry, and goes on with this frame

    def resumed(self, now_s: float) -> None:
        """The output was told to go on. What it had queued when it paused is lost."""
        reply = self._current
        if reply is None or not reply.paused:
            return
        reply.paused = False
        if reply.runs and (end := reply.runs[-1].end) is not None:
            reply.runs.append(_Run(now_s, round((end + QUEUE_SAMPLES) / GRID_SAMPLES) * GRID_SAMPLES))

    def finished(self, now_s: float, *, interrupted: bool) -> None:
        """The reply being played is over."""
        reply = self._current
        if reply is None:
            return
        reply.over_at_s = now_s
        if reply.runs and reply.runs[-1].end is None:
            run = reply.runs[-1]
            played = run.offset + round((now_s - run.at_s) * SPEECH_RATE)
            run.end = min(played, reply.length) if interrupted else reply.length
        if reply is self._replies[-1]:
            self._capturing = False

    def block(self, at_s: float, samples: int) -> Pcm32:
        """What is played from `at_s` on (which must not be to come), shape (samples,), float32 at SPEECH_RATE."""
        block = np.zeros(samples, np.float32)
        while self._replies and (over := self._replies[0].over_at_s) is not None and over < at_s - KEEP_S:
            self._replies.popleft()
        for reply in self._replies:
            for run in reply.runs:
                reply.add(run, block, at_s)
        if block.any():
            self._last_at_s = at_s
        return block

    def words(self) -> list[Word]:
        """The words played lately, with the clock times at which they were."""
        return [word for reply in self._replies for word in reply.spoken()]

    def was_playing(self, at_s: float, within_s: float) -> bool:
        """Whether something is being played, or was within this time."""
        return self._current_is_playing or at_s - self._last_at_s <= within_s

    @property
    def _current(self) -> _Reply | None:
        return next((reply for reply in self._replies if reply.over_at_s is None), None)

    @property
    def _current_is_playing(self) -> bool:
        reply = self._current
        return reply is not None and bool(reply.runs) and reply.runs[-1].end is None
